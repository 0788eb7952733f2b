// The contract of every container runtime, real or simulated.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mountsBelow, mountTable } from "../../machinery/mount-table.ts";
import { runProgram } from "../../machinery/run-program.ts";
import type { Clock } from "../../machinery/world.ts";
import {
  type ContainerRuntime,
  type ContainerSpec,
  type Exit,
  type PodIdentity,
  type RuntimeContainer,
  RuntimeRefused,
} from "../../kubelet/runtime.ts";

/** A runtime, its clock, and an image with a shell. */
export interface OpenRuntime {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly image: string;
  /** Advances time until the work is done. */
  live<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const never = new AbortController().signal;
let counter = 0;
const somePod = (): PodIdentity => {
  counter += 1;
  return {
    uid: `00000000-0000-4000-8000-${String(counter).padStart(12, "0")}`,
    namespace: "suite",
    name: `pod-${counter}`,
  };
};

const shell = (script: string): Partial<ContainerSpec> => ({ command: ["sh", "-c", script] });
const plain: Omit<ContainerSpec, "pod" | "sandboxId" | "image"> = {
  name: "c",
  attempt: 0,
  hash: "h",
  backoff: 3,
  hostname: "pod-name",
  env: [["GREETING", "hello"]],
  mounts: [],
  devices: [],
  stdin: false,
  stdinOnce: false,
  tty: false,
  hostNetwork: false,
  hostPid: false,
  sharePid: false,
  hostIpc: false,
  limits: { cpuShares: 2 },
  security: {
    privileged: false,
    groups: [],
    readOnlyRoot: false,
    noNewPrivileges: false,
    addCapabilities: [],
    dropCapabilities: [],
    seccompUnconfined: true,
  },
};

async function textOf(stream: Readable | AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const data of stream) text += Buffer.from(data as Uint8Array).toString();
  return text;
}

/** Helpers for one open runtime. */
function bench({ runtime, clock, image }: OpenRuntime) {
  const sandbox = (pod: PodIdentity, attempt = 0): Promise<string> =>
    runtime.runSandbox(
      { pod, attempt, hostname: "pod-name", hostNetwork: false, hostPid: false, hostIpc: false },
      never,
    );
  const create = async (pod: PodIdentity, more: Partial<ContainerSpec>): Promise<string> =>
    runtime.create({ ...plain, pod, image, sandboxId: await sandbox(pod), ...more }, never);
  const launch = async (pod: PodIdentity, script: string): Promise<string> => {
    const id = await create(pod, shell(script));
    await runtime.start(id, never);
    return id;
  };
  const find = async (id: string): Promise<RuntimeContainer | undefined> =>
    (await runtime.list(undefined, never)).containers.find((c) => c.id === id);
  const ended = async (id: string): Promise<Exit> => {
    for (let tries = 0; tries < 200; tries++) {
      const status = (await find(id))?.status;
      if (status?.state === "exited") return status;
      await clock.sleep(50);
    }
    throw new Error(`${id} has not ended`);
  };
  return { sandbox, create, launch, find, ended };
}

function life(env: () => OpenRuntime): void {
  test("a listed container has all fields of its specification", () =>
    env().live(async () => {
      const { runtime } = env();
      const { launch } = bench(env());
      const pod = somePod();
      const id = await launch(pod, "sleep 100");
      const { containers, sandboxes } = await runtime.list(pod.uid, never);
      expect(containers).toHaveLength(1);
      expect(containers[0]).toMatchObject({
        id,
        pod,
        name: "c",
        attempt: 0,
        hash: "h",
        backoff: 3,
        sandboxId: sandboxes[0]?.id,
      });
      expect(containers[0]?.status.state).toBe("running");
      expect(sandboxes).toMatchObject([{ pod, attempt: 0, state: "running" }]);
      expect(sandboxes[0]?.ip).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    }));

  test("the list of a pod has only its containers", () =>
    env().live(async () => {
      const { launch } = bench(env());
      const [one, other] = [somePod(), somePod()];
      await Promise.all([launch(one, "sleep 100"), launch(other, "sleep 100")]);
      const { containers, sandboxes } = await env().runtime.list(one.uid, never);
      expect([...containers, ...sandboxes].every((c) => c.pod.uid === one.uid)).toBe(true);
      const all = await env().runtime.list(undefined, never);
      expect(new Set(all.sandboxes.map((s) => s.ip)).size).toBe(all.sandboxes.length);
    }));

  test("create is idempotent", () =>
    env().live(async () => {
      const { sandbox, create } = bench(env());
      const pod = somePod();
      expect(await sandbox(pod)).toBe(await sandbox(pod));
      expect(await create(pod, shell("exit 0"))).toBe(await create(pod, shell("exit 0")));
    }));

  test("an exit has its code and times", () =>
    env().live(async () => {
      const { launch, ended } = bench(env());
      const fine = await launch(somePod(), "exit 0");
      const bad = await launch(somePod(), "exit 3");
      expect(await ended(fine)).toMatchObject({ exitCode: 0, reason: "Completed" });
      expect(await ended(bad)).toMatchObject({ exitCode: 3, reason: "Error" });
    }));

  test("a missing command is a start error, and its message is kept", () =>
    env().live(async () => {
      const { create, find } = bench(env());
      const id = await create(somePod(), { command: ["/no/such/thing"] });
      await expect(env().runtime.start(id, never)).rejects.toBeInstanceOf(RuntimeRefused);
      const status = (await find(id))?.status;
      expect(status).toMatchObject({ state: "exited", exitCode: 128, reason: "StartError" });
      expect(status?.state === "exited" && status.message).toContain("/no/such/thing");
    }));
}

function resizing(env: () => OpenRuntime): void {
  test("limits are applied on create and updated while running", () =>
    env().live(async () => {
      const { create, find } = bench(env());
      const limits = { cpuShares: 102, cpuMillis: 100, memoryBytes: 2 ** 26 };
      const id = await create(somePod(), { ...shell("sleep 100"), limits });
      await env().runtime.start(id, never);
      expect((await find(id))?.limits).toEqual(limits);
      const more = { cpuShares: 204, cpuMillis: 250, memoryBytes: 2 ** 27 };
      await env().runtime.resize(id, more, never);
      expect((await find(id))?.limits).toEqual(more);
      await env().runtime.resize(id, limits, never);
      expect((await find(id))?.limits).toEqual(limits);
    }));
}

function endings(env: () => OpenRuntime): void {
  test("a container can handle the stop signal", () =>
    env().live(async () => {
      const { launch, ended } = bench(env());
      const id = await launch(somePod(), "trap 'exit 7' TERM; while :; do sleep 0.1; done");
      await env().clock.sleep(300);
      await env().runtime.stop(id, 10_000, never);
      expect(await ended(id)).toMatchObject({ exitCode: 7 });
    }));

  test("a container is killed after its grace period", () =>
    env().live(async () => {
      const { launch, ended } = bench(env());
      const id = await launch(somePod(), "sleep 100");
      const before = env().clock.now();
      await env().runtime.stop(id, 1_000, never);
      expect(env().clock.now() - before).toBeGreaterThanOrEqual(900);
      expect(await ended(id)).toMatchObject({ exitCode: 137 });
    }));

  test("stopping and removing missing objects succeeds", () =>
    env().live(async () => {
      const { runtime } = env();
      const { launch, find } = bench(env());
      const id = await launch(somePod(), "sleep 100");
      await runtime.remove(id, never);
      expect(await find(id)).toBeUndefined();
      await runtime.remove(id, never);
      await runtime.stop(id, 0, never);
    }));

  test("a killed sandbox is listed as exited", () =>
    env().live(async () => {
      const { runtime, clock } = env();
      const { sandbox } = bench(env());
      const pod = somePod();
      await runtime.stop(await sandbox(pod), 0, never);
      await clock.sleep(100);
      expect((await runtime.list(pod.uid, never)).sandboxes).toMatchObject([{ state: "exited" }]);
      await sandbox(pod, 1);
      const after = (await runtime.list(pod.uid, never)).sandboxes;
      expect(after.find((s) => s.attempt === 1)?.state).toBe("running");
    }));

  test("starts and exits are events", () =>
    env().live(async () => {
      const { runtime, clock } = env();
      const { create } = bench(env());
      const pod = somePod();
      const id = await create(pod, shell("sleep 0.2"));
      const stop = new AbortController();
      const seen: string[] = [];
      const listening = (async () => {
        for await (const e of runtime.events(stop.signal)) {
          if (e.podUid === pod.uid) seen.push(e.what);
          if (seen.includes("died")) break;
        }
      })();
      await clock.sleep(200);
      await runtime.start(id, never);
      await listening;
      stop.abort();
      expect(seen).toEqual(["started", "died"]);
    }));
}

function streams(env: () => OpenRuntime): void {
  test("logs can be read completely, from the end, and followed", () =>
    env().live(async () => {
      const { runtime } = env();
      const { launch, ended } = bench(env());
      const id = await launch(somePod(), "echo one; echo two; sleep 0.5; echo three");
      const followed = textOf(runtime.logs(id, { follow: true, timestamps: false }, never));
      expect(await followed).toBe("one\ntwo\nthree\n");
      await ended(id);
      expect(await textOf(runtime.logs(id, { follow: false, timestamps: false, tail: 1 }, never))).toBe("three\n");
      expect(await textOf(runtime.logs(id, { follow: false, timestamps: true, tail: 1 }, never))).toMatch(
        /^\d{4}-\d\d-\d\dT[\d:.]+Z three\n$/,
      );
    }));

  test("a command runs until it exits or times out", () =>
    env().live(async () => {
      const { runtime } = env();
      const { launch } = bench(env());
      const id = await launch(somePod(), "sleep 100");
      const run = (script: string) => runtime.run(id, ["sh", "-c", script], 1_000, never);
      expect(await run("echo $GREETING; exit 4")).toEqual({ exitCode: 4, output: "hello\n", timedOut: false });
      expect(await run("sleep 30")).toMatchObject({ timedOut: true });
    }));

  test("a container has the host name of its pod", () =>
    env().live(async () => {
      const { launch } = bench(env());
      const id = await launch(somePod(), "sleep 100");
      expect((await env().runtime.run(id, ["hostname"], 5_000, never)).output).toBe("pod-name\n");
    }));
}

function sessions(env: () => OpenRuntime): void {
  test("a session has streams and an exit code", () =>
    env().live(async () => {
      const { launch } = bench(env());
      const id = await launch(somePod(), "sleep 100");
      const session = await env().runtime.exec(id, { command: ["cat"], stdin: true, tty: false }, never);
      session.stdin?.write("over and out");
      session.endInput();
      expect(await textOf(session.stdout)).toBe("over and out");
      expect(await session.exitCode).toBe(0);
    }));

  test("a session has a separate stderr", () =>
    env().live(async () => {
      const { launch } = bench(env());
      const id = await launch(somePod(), "sleep 100");
      const command = ["sh", "-c", "echo fine; echo wrong >&2; exit 3"];
      const session = await env().runtime.exec(id, { command, stdin: false, tty: false }, never);
      const [out, err] = await Promise.all([textOf(session.stdout), textOf(session.stderr)]);
      expect([out, err, await session.exitCode]).toEqual(["fine\n", "wrong\n", 3]);
    }));

  test("a missing program is an error of the session", () =>
    env().live(async () => {
      const { launch } = bench(env());
      const id = await launch(somePod(), "sleep 100");
      const session = await env().runtime.exec(id, { command: ["nowhere"], stdin: false, tty: false }, never);
      expect(await textOf(session.stdout)).toMatch(/exec: "nowhere": executable file not found in \$PATH/);
      expect([126, 127]).toContain(await session.exitCode);
    }));

  test("attach has output from then on, and input", () =>
    env().live(async () => {
      const { create, ended } = bench(env());
      const io = { stdin: true, stdinOnce: true };
      const id = await create(somePod(), { command: ["cat"], ...io });
      await env().runtime.start(id, never);
      const session = await env().runtime.attach(id, { ...io, tty: false }, never);
      session.stdin?.write("hello");
      session.endInput();
      expect(await textOf(session.stdout)).toBe("hello");
      expect(await session.exitCode).toBe(0);
      expect(await ended(id)).toMatchObject({ exitCode: 0 });
    }));

  test("a client whose input ends leaves a container that reads on", () =>
    env().live(async () => {
      const { create, find } = bench(env());
      const io = { stdin: true, stdinOnce: false };
      const id = await create(somePod(), { command: ["cat"], ...io });
      await env().runtime.start(id, never);
      const session = await env().runtime.attach(id, { ...io, tty: false }, never);
      session.endInput();
      expect(await textOf(session.stdout)).toBe("");
      expect(await session.exitCode).toBe(0);
      expect(await find(id)).toMatchObject({ status: { state: "running" } });
    }));
}

function images(env: () => OpenRuntime): void {
  test("image status: present or missing", () =>
    env().live(async () => {
      const { runtime, image } = env();
      expect((await runtime.imageStatus(image, never))?.id).toMatch(/^sha256:/);
      expect(await runtime.imageStatus("localhost:1/no/such:1", never)).toBeUndefined();
      expect((await runtime.images(never)).flatMap((i) => i.names)).toContain(image);
    }));

  test("a failed pull has a reason", () =>
    env().live(async () => {
      const pull = env().runtime.pull("localhost:1/no/such:1", undefined, never);
      await expect(pull).rejects.toBeInstanceOf(RuntimeRefused);
      await expect(pull).rejects.toThrow(/localhost:1|refused|not found/);
    }));

  test("the files of an image in a folder: nothing can be written, and a second mount changes nothing", async () => {
    const { runtime, image, live } = env();
    const folder = mkdtempSync(join(tmpdir(), "orrery-image-"));
    const mounts = async (): Promise<readonly string[]> => mountsBelow(await mountTable(), folder);
    try {
      await live(() => runtime.mountImage(image, folder, never));
      const [files, mounted] = [readdirSync(folder), await mounts()];
      expect(files).not.toEqual([]);
      if (mounted.length > 0) expect(() => writeFileSync(join(folder, "new"), "")).toThrow("EROFS");
      await live(() => runtime.mountImage(image, folder, never));
      expect([readdirSync(folder), await mounts()]).toEqual([files, mounted]);
      const missing = live(() => runtime.mountImage("localhost:1/no/such:1", `${folder}-other`, never));
      await expect(missing).rejects.toBeInstanceOf(RuntimeRefused);
    } finally {
      for (const point of await mounts()) await runProgram("umount", [point]);
      rmSync(folder, { recursive: true });
    }
  });

  test("a running container uses memory", () =>
    env().live(async () => {
      const { launch } = bench(env());
      const id = await launch(somePod(), "sleep 100");
      await env().runtime.list(undefined, never);
      expect((await env().runtime.usage(id))?.memoryUsageBytes).toBeGreaterThan(0);
      expect(await env().runtime.diskUsage(id)).toBeGreaterThanOrEqual(0);
    }));
}

/** Defines the tests of the contract. */
export function runtimeSuite(name: string, open: () => Promise<OpenRuntime>): void {
  describe(`runtime: ${name}`, () => {
    let current: OpenRuntime | undefined;
    const env = (): OpenRuntime => current!;
    beforeEach(async () => {
      current = await open();
    });
    afterEach(() => current?.close());
    life(env);
    resizing(env);
    endings(env);
    streams(env);
    sessions(env);
    images(env);
  });
}
