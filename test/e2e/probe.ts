// Runs in a network namespace: serves TCP and UDP ports, opens connections, and reports what arrives. Its parent sends
// the commands.
import { createSocket } from "node:dgram";
import { connect, createServer, type Socket } from "node:net";

export type Command =
  | {
      readonly id: number;
      readonly do: "probe";
      readonly protocol: "tcp" | "udp";
      readonly host: string;
      readonly port: number;
    }
  | { readonly id: number; readonly do: "open"; readonly host: string; readonly port: number }
  /** Sends a line over the open connection, and waits for its echo. */
  | { readonly id: number; readonly do: "echo" };
export interface Result {
  readonly id: number;
  readonly passes: boolean;
}

const [ports = "", waitMs = "400"] = process.argv.slice(2);
const within = <T>(result: Promise<T>): Promise<boolean> =>
  Promise.race([
    result.then(
      () => true,
      () => false,
    ),
    new Promise<boolean>((resolve) => setTimeout(resolve, Number(waitMs), false)),
  ]);

const ready: Promise<void>[] = [];
for (const port of ports.split(",").map(Number)) {
  const { promise, resolve } = Promise.withResolvers<void>();
  createServer((socket) => socket.on("error", () => {}).pipe(socket)).listen(port, "::", resolve);
  const udp = createSocket("udp6").bind(port, "::", () => ready.push(promise));
  udp.on("message", (message, { address, port: from }) => udp.send(message, from, address));
}

let open: Socket | undefined;
const connected = (host: string, port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, host, () => resolve(socket)).on("error", reject);
    setTimeout(() => socket !== open && socket.destroy(), Number(waitMs));
  });
const answered = (host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4").on("error", reject);
    socket.on("message", () => resolve()).send("?", port, host);
    setTimeout(() => socket.close(), Number(waitMs));
  });
function carryOut(command: Command): Promise<unknown> {
  if (command.do === "probe")
    return command.protocol === "tcp" ? connected(command.host, command.port) : answered(command.host, command.port);
  if (command.do === "open")
    return connected(command.host, command.port).then((socket) => {
      open = socket;
    });
  return new Promise((resolve) => {
    open?.once("data", resolve);
    open?.write("a line\n");
  });
}
process.on("message", (command: Command) => {
  void within(carryOut(command)).then((passes) => process.send?.({ id: command.id, passes } satisfies Result));
});
process.on("disconnect", () => process.exit());
process.send?.("ready");
