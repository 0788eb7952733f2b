// A byte stream into a pod's network, localhost included: a small process that has entered it carries the bytes.
import { spawn } from "node:child_process";
import { onAbort } from "../../machinery/abort.ts";
import { type ByteStream, RuntimeRefused } from "../runtime.ts";

/** Run by a second Node inside the pod's network namespace: one connection, joined to standard input and output. */
const relay = (port: number): string => `
const net = require("node:net");
const s = net.connect({ port: ${port}, host: "localhost", autoSelectFamily: true, allowHalfOpen: true });
s.on("connect", () => process.stderr.write("connected"));
const leave = (code) => { process.exitCode = code; process.stdin.destroy(); };
s.on("error", (e) => { process.stderr.write(e.message); leave(1); });
s.on("end", () => leave(0));
s.on("close", () => leave(process.exitCode ?? 0));
process.stdin.pipe(s).pipe(process.stdout);`;

/** Connects to a port of the pod that process `pid` belongs to; rejects when nobody listens there. */
export async function connectInside(pid: number, port: number, signal: AbortSignal): Promise<ByteStream> {
  const child = spawn("nsenter", ["-t", String(pid), "-n", process.execPath, "-e", relay(port)], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const off = onAbort(signal, () => child.kill());
  child.once("exit", off);
  child.stdin.on("error", () => {});
  // Its first words say how it went; one that ends without a word was stopped.
  const words = await new Promise<string>((resolve) => {
    child.stderr.once("data", (data) => resolve(String(data)));
    child.once("error", (e) => resolve(e.message));
    child.once("exit", () => resolve("the connection was called off"));
  });
  if (words !== "connected") throw new RuntimeRefused(words);
  return { input: child.stdin, output: child.stdout };
}
