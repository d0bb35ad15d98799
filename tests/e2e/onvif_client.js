// The npm package "onvif" against the service: node onvif_client.js HOST PORT USER PASSWORD; one JSON line a step.
// It is run in a folder where that package is installed.
const { createRequire } = require("module");
const { Cam, Discovery } = createRequire(process.cwd() + "/")("onvif");

const [host, port, username, password] = process.argv.slice(2);
const say = (step, found) => console.log(JSON.stringify({ step, found }));
const fail = (step, error) => {
  say("failed", `${step}: ${error.message}`);
  process.exit(1);
};
const READS = [
  "getServices", "getDeviceInformation", "getHostname", "getScopes", "getNetworkInterfaces", "getNetworkProtocols",
  "getDNS", "getNTP", "getNetworkDefaultGateway", "getVideoSources", "getVideoSourceConfigurations",
  "getVideoEncoderConfigurations", "getOSDs", "getEventProperties", "getServiceCapabilities",
];

function discover() {
  Discovery.on("error", () => {});
  Discovery.probe({ timeout: 4000, resolve: false, device: "lo" }, (error, found) => {
    const known = (found || []).map((one) => JSON.stringify(one)).filter((text) => text.includes(`:${port}/onvif/`));
    say("discovered", known.length > 0);
    process.exit(0);
  });
}

new Cam({ hostname: host, port: Number(port), username, password, timeout: 20000 }, function connected(error) {
  if (error) fail("connect", error);
  const cam = this;
  say("connected", { media2: cam.media2Support, source: cam.activeSource });
  const rest = [...READS];
  const next = () => {
    const name = rest.shift();
    if (name) {
      cam[name]((wrong, found) => (wrong ? fail(name, wrong) : (say(name, found), next())));
      return;
    }
    cam.getStreamUri({ protocol: "RTSP", stream: "RTP-Unicast" }, (wrong, stream) => {
      if (wrong) fail("getStreamUri", wrong);
      say("getStreamUri", stream.uri);
      cam.getSnapshotUri({}, (other, snapshot) => {
        if (other) fail("getSnapshotUri", other);
        say("getSnapshotUri", snapshot.uri);
        cam.once("event", (message) => {
          say("event", message.topic._);
          discover();
        });
      });
    });
  };
  next();
});
