// A serving process as its parent sees it: started, asked, ended.
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { adminCredentials } from "../../cli/cluster/credentials.ts";
import type { Instant } from "../../api/meta.ts";
import { newAuthority, type Pem } from "../../cli/cluster/pki.ts";
import type { Order, Usage } from "./served.ts";

/** Certificates that servers and clients of one run believe. */
export interface Trust {
  readonly ca: string;
  readonly serving: Pem;
  readonly admin: Pem;
}
export async function newTrust(now: Instant): Promise<Trust> {
  const authority = await newAuthority("bench", now);
  const serving = await authority.issue({ name: "server", hosts: ["127.0.0.1", "localhost"], use: "server" });
  return { ca: authority.pem.cert, serving, admin: await adminCredentials(authority) };
}

export interface Served {
  readonly port: number;
  readonly url: string;
  /** What it holds at this moment. */
  usage(): Promise<Usage>;
  close(): Promise<void>;
}

/** Starts a server in a process of its own, which has and takes its memory as that of `./orrery server`. */
export async function served(order: Order): Promise<Served> {
  const child = fork(join(import.meta.dirname, "served.ts"), {
    execArgv: ["--expose-gc", "--max-semi-space-size=64"],
    env: { ...process.env, GLIBC_TUNABLES: "glibc.malloc.hugetlb=1" },
  });
  const ended = once(child, "exit");
  const ask = async (message: Order | "usage"): Promise<unknown> => {
    const answer = once(child, "message");
    child.send(message);
    const [told] = await Promise.race([answer, ended.then(() => Promise.reject(new Error("the server has ended")))]);
    return told;
  };
  const { port } = (await ask(order)) as { port: number };
  return {
    port,
    url: `https://127.0.0.1:${port}`,
    usage: async () => (await ask("usage")) as Usage,
    async close() {
      child.disconnect();
      await ended;
    },
  };
}
