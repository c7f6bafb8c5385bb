// Usage: node trace.js TRACES EXECUTABLE READ WRITE
// Looks through the files that strace -ff -y wrote and prints what breaks the
// promise that nothing leaves: any use of a socket, any program but EXECUTABLE,
// any file that was opened outside of READ or changed outside of WRITE (both are
// paths, with a : between them, that allow all below them). Exits with 1 if there
// is anything. The files of the Go runtime and of the loader are allowed here.
const fs = require("fs");
const path = require("path");

const [dir, executable, read, write] = process.argv.slice(2);
const writable = write.split(":").filter(Boolean);
const readable = [
  ...read.split(":").filter(Boolean),
  ...writable,
  executable,
  // The loader of a build with cgo.
  "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache",
  // The runtime: size of huge pages, processors of the control group, time zone.
  "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "/sys/fs/cgroup", "/etc/localtime", "/usr/share/zoneinfo",
  // Where os/exec connects a stream that is not used.
  "/dev/null",
];
// Of /proc: what the runtime and the C library read of their own process when it
// starts, and the list of its threads.
const own = /^\/proc\/\d+\/(maps|cgroup|mountinfo|auxv|task|task\/\d+\/status)$/;

const below = (list, name) => list.some((top) => name === top || name.startsWith(top === "/" ? "/" : top + "/"));

// The names in a call's arguments, made absolute by the descriptor before each.
function names(args) {
  const found = [];
  for (const [, base, name] of args.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"/g)) {
    found.push(path.resolve(base ?? "/", name));
  }
  return found;
}

function breach(call, args, result) {
  const failed = result.startsWith("-1");
  switch (call) {
    case "execve":
    case "execveat":
      return names(args)[0] !== executable;
    case "open":
    case "openat":
    case "openat2":
    case "creat": {
      if (failed || args.includes("O_PATH")) return false; // O_PATH gives no content
      const name = /<(.*?)(?: \(deleted\))?>(?:\(deleted\))?$/.exec(result)?.[1] ?? "?";
      if (/O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(args) || call === "creat") {
        return !below(writable, name) && name !== "/dev/null" && !name.startsWith("/dev/null<");
      }
      return !below(readable, name.replace(/<.*/, "")) && !own.test(name);
    }
    case "socket":
      // How the command finds out that sockets are refused: no type, no socket.
      return !(failed && /^AF_INET, 0\b/.test(args));
    case "mkdir": case "mkdirat": case "rmdir": case "unlink": case "unlinkat":
    case "rename": case "renameat": case "renameat2":
    case "link": case "linkat": case "symlink": case "symlinkat":
      return !failed && !names(args).every((name) => below(writable, name));
    default:
      return true; // Everything else that is traced is of sockets.
  }
}

let lines = 0;
const breaches = [];
for (const file of fs.readdirSync(dir)) {
  for (const line of fs.readFileSync(path.join(dir, file), "utf8").split("\n")) {
    const match = /^(\w+)\((.*)\)\s+= (.*)$/.exec(line);
    if (!match) continue;
    lines++;
    const [, call, args, rest] = match;
    if (breach(call, args, rest.replace(/ \(.*\)$/, (text) => (rest.startsWith("-1") ? "" : text)))) breaches.push(line);
  }
}
for (const line of new Set(breaches)) console.log(line.slice(0, 300));
if (lines === 0) {
  console.log("nothing was traced");
}
process.exit(lines === 0 || breaches.length > 0 ? 1 : 0);
