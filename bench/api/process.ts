// Starts and stops servers in processes of their own, and reads their memory usage.
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { adminCredentials } from "../../cli/cluster/credentials.ts";
import type { Instant } from "../../api/meta.ts";
import { newAuthority, type Pem } from "../../cli/cluster/pki.ts";
import type { ServerSpec, Usage } from "./served.ts";

/** The certificates of servers and clients in one run. */
export interface Trust {
  readonly ca: string;
  readonly serving: Pem;
  readonly admin: Pem;
}
/** New certificates; the user has the rights that roles give. */
export async function newTrust(now: Instant, user = "user"): Promise<Trust & { readonly user: Pem }> {
  const authority = await newAuthority("bench", now);
  const serving = await authority.issue({ name: "server", hosts: ["127.0.0.1", "localhost"], use: "server" });
  const admin = await adminCredentials(authority);
  return { ca: authority.pem.cert, serving, admin, user: await authority.issue({ name: user, use: "client" }) };
}
export interface ServerProcess {
  readonly port: number;
  readonly url: string;
  /** Its memory after garbage collection. */
  usage(): Promise<Usage>;
  close(): Promise<void>;
}

/** Starts a server process, with the memory settings of `./orrery server`. */
export async function startServer(spec: ServerSpec): Promise<ServerProcess> {
  const child = fork(join(import.meta.dirname, "served.ts"), {
    execArgv: ["--expose-gc", "--max-semi-space-size=64"],
    env: { ...process.env, GLIBC_TUNABLES: "glibc.malloc.hugetlb=1" },
  });
  const ended = once(child, "exit");
  const send = async (message: ServerSpec | "usage"): Promise<unknown> => {
    const reply = once(child, "message");
    child.send(message);
    const [result] = await Promise.race([reply, ended.then(() => Promise.reject(new Error("the server has ended")))]);
    return result;
  };
  const { port } = (await send(spec)) as { port: number };
  return {
    port,
    url: `https://127.0.0.1:${port}`,
    usage: async () => (await send("usage")) as Usage,
    async close() {
      child.disconnect();
      await ended;
    },
  };
}
