// Usage: node listen.js PORT_FILE SEEN_FILE
// Listens on a port of loopback, by TCP and UDP, writes its number to PORT_FILE,
// and a line to SEEN_FILE for whatever comes.
const fs = require("fs");
const [portFile, seenFile] = process.argv.slice(2);

fs.writeFileSync(seenFile, "");
const seen = (what) => fs.appendFileSync(seenFile, what + "\n");
const tcp = require("net").createServer((socket) => {
  seen("tcp");
  socket.destroy();
});
tcp.listen(0, "127.0.0.1", () => {
  const { port } = tcp.address();
  const udp = require("dgram").createSocket("udp4", () => seen("udp"));
  udp.bind(port, "127.0.0.1", () => fs.writeFileSync(portFile, String(port)));
});
