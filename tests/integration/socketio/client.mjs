/* The stock client, as a page or a program uses it: each thing that it sees is printed as a line of JSON. */

import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const { address, ...options } = JSON.parse(process.argv[2]);
const print = (kind, content) => console.log(JSON.stringify([kind, content]));

const socket = io(address, options);
socket.on("connect", () => print("connect", socket.io.engine.transport.name));
socket.on("connect_error", ({ message, data }) => print("connect_error", { message, ...data }));
socket.on("disconnect", (reason) => print("disconnect", reason));
for (const event of ["message", "changed", "presence", "ended"]) {
  socket.on(event, (content) => print(event, content));
}

/* Each line that comes in is an event to emit; its acknowledgement is printed. */
createInterface({ input: process.stdin }).on("line", (line) => {
  const [event, ...content] = JSON.parse(line);
  if (event === "leave now") socket.disconnect();
  else socket.emit(event, ...content, (answer) => print("ack", answer));
});
process.stdin.on("end", () => process.exit());
