// Connects to a port in a pod's network, also on localhost, through a process in the pod's network namespace.
import { spawn } from "node:child_process";
import { onAbort } from "../../machinery/abort.ts";
import { type ByteStream, RuntimeRefused } from "../runtime.ts";

/** The program of that process: joins one connection with its standard input and output. */
const relay = (port: number): string => `
const net = require("node:net");
const s = net.connect({ port: ${port}, host: "localhost", autoSelectFamily: true, allowHalfOpen: true });
s.on("connect", () => process.stderr.write("connected"));
const leave = (code) => { process.exitCode = code; process.stdin.destroy(); };
s.on("error", (e) => { process.stderr.write(e.message); leave(1); });
s.on("end", () => leave(0));
s.on("close", () => leave(process.exitCode ?? 0));
process.stdin.pipe(s).pipe(process.stdout);`;

/** Connects to a port in the network namespace of process `pid`; rejects when the port is closed. */
export async function connectInside(pid: number, port: number, signal: AbortSignal): Promise<ByteStream> {
  const child = spawn("nsenter", ["-t", String(pid), "-n", process.execPath, "-e", relay(port)], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const off = onAbort(signal, () => child.kill());
  child.once("exit", off);
  child.stdin.on("error", () => {});
  // Its first output is the result; without any it was stopped.
  const result = await new Promise<string>((resolve) => {
    child.stderr.once("data", (data) => resolve(String(data)));
    child.once("error", (e) => resolve(e.message));
    child.once("exit", () => resolve("the connection was called off"));
  });
  if (result !== "connected") throw new RuntimeRefused(result);
  return { input: child.stdin, output: child.stdout };
}
