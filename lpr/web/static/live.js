// The live page: new passages as they are signed (Server-Sent Events), and a live picture that rests while nobody looks.

const room = document.getElementById("live");
const list = document.getElementById("passages");
const link = document.getElementById("link");
const picture = document.getElementById("picture");
const KEPT = 40;
let source = null;
let last = room.dataset.after;
let order = Promise.resolve();

function tell(on) {
  link.hidden = false;
  link.textContent = on ? link.dataset.on : link.dataset.off;
  link.classList.toggle("off", !on);
}

async function show(id) {
  const answer = await fetch(`/fragments/passages/${encodeURIComponent(id)}`);
  if (answer.redirected) return location.reload();
  if (!answer.ok) return;
  const news = new DOMParser().parseFromString(await answer.text(), "text/html");
  const part = news.querySelector(".passage");
  if (!part) return;
  document.getElementById("newest").replaceChildren(news.getElementById("hero"));
  const known = [...list.children].find((item) => item.dataset.id === part.dataset.id);
  if (known) return known.replaceWith(part);
  part.classList.add("new");
  list.prepend(part);
  while (list.children.length > KEPT) list.lastElementChild.remove();
  document.getElementById("empty").hidden = true;
  document.getElementById("said").textContent = room.dataset.arrived.replace("…", part.dataset.plate);
}

function listen() {
  source = new EventSource(`/api/v1/events/stream?types=PassageSigned&after=${last}`);
  source.addEventListener("open", () => tell(true));
  source.addEventListener("error", () => {
    tell(false);
    // The browser resumes by itself, except after an answer that is none (logged out, stopping): then we do.
    if (source.readyState === EventSource.CLOSED) setTimeout(begin, 5000);
  });
  source.addEventListener("PassageSigned", (message) => {
    last = message.lastEventId;
    const { passage } = JSON.parse(message.data).body;
    order = order.then(() => show(passage)).catch(() => {});
  });
}

function look() {
  if (picture && !picture.src.includes(picture.dataset.src)) picture.src = picture.dataset.src;
}

function begin() {
  if (document.hidden) return;
  if (source) source.close();
  listen();
  look();
}

function rest() {
  source?.close();
  if (picture) picture.removeAttribute("src"); // gives the connection back
}

document.addEventListener("visibilitychange", () => (document.hidden ? rest() : begin()));
window.addEventListener("pagehide", rest);
picture?.addEventListener("error", () => setTimeout(() => {
  if (document.hidden) return;
  picture.removeAttribute("src");
  look();
}, 5000));
begin();
