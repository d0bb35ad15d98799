// Small comforts on every page; everything works without them.

// A menu closes when one clicks elsewhere or presses Escape.
const menu = document.querySelector(".menu");
if (menu) {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}

// A button that can't be undone asks first: <button data-ask="Sure?">.
document.addEventListener("submit", (event) => {
  const ask = event.submitter?.dataset.ask;
  if (ask && !confirm(ask)) event.preventDefault();
});

// A part of the page that brings itself up to date: <div id=… data-refresh=seconds>.
const fresh = document.querySelector("[data-refresh]");
if (fresh) {
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.redirected) location.reload();
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const news = page.getElementById(fresh.id);
      if (news) fresh.replaceChildren(...news.childNodes);
    } catch {
      // the service is not there at the moment; the next round asks again
    }
  }, Number(fresh.dataset.refresh) * 1000);
}
