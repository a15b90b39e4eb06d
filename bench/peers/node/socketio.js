// Socket.IO with the mongodb driver, as its own documentation recommends for production: websocket only,
// with the native add-ons of ws, and without keeping the first HTTP request. STORE=0 switches the database off.
import { createServer } from "node:http";
import { MongoClient } from "mongodb";
import { Server } from "socket.io";

const store = process.env.STORE !== "0";
const client = store && (await new MongoClient(process.env.MONGO_URI).connect());
const messages = store && client.db().collection("messages", { writeConcern: { w: "majority", j: true } });

const http = createServer();
const io = new Server(http, { transports: ["websocket"] });
io.engine.on("connection", (connection) => {
  connection.request = null;
});

io.on("connection", (socket) => {
  const { room, name } = socket.handshake.query;
  socket.join(room);
  socket.on("message", async ({ text }) => {
    const message = { room, author: name, text, sent_at: new Date() };
    if (store) await messages.insertOne(message); // adds _id; a message is sent after it is stored
    io.to(room).emit("message", message);
  });
});

http.listen(Number(process.env.PORT), "127.0.0.1", 4096);
