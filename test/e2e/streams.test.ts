// Streaming sessions with containers.
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { ended, testCluster, until } from "./cluster.ts";

const cluster = testCluster("orrery-streams", "--nodes", "1");
const { ctl, output, command } = cluster;
const image = "orrery/busybox:1";

beforeAll(async () => {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", labels: { app: "web" } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: "c",
          image,
          command: ["sh", "-c", "mkdir /www; echo hello > /www/index.html; httpd -p 8080 -h /www; exec sleep 100000"],
          ports: [{ containerPort: 8080 }],
        },
      ],
    },
  };
  await output("create -f -", JSON.stringify(pod));
  await output("wait --for=condition=Ready pod/web --timeout=60s");
});

test("a hundred megabytes in both directions are unchanged", async () => {
  const script = "head -c 100000000 /dev/zero | tee /tmp/down | md5sum >&2; cat /tmp/down";
  const [shell = "", ...args] = [
    "sh",
    "-c",
    `"$@" | md5sum`,
    "sh",
    ...command(["exec", "web", "--", "sh", "-c", script]),
  ];
  const down = await ended([shell, ...args], "");
  // kubectl may write messages there.
  expect(down.err).toContain(down.out.split(" ")[0]);
  const up = command(["exec", "-i", "web", "--", "md5sum"]);
  const sent = await ended(["sh", "-c", `head -c 100000000 /dev/zero | "$@"`, "sh", ...up], "");
  expect(sent.out.split(" ")[0]).toBe(down.out.split(" ")[0]);
});

test("files are copied in and out", async () => {
  const folder = mkdtempSync(join(tmpdir(), "orrery-cp-"));
  const bytes = randomBytes(3_000_000);
  writeFileSync(join(folder, "there"), bytes);
  await output(["cp", join(folder, "there"), "web:/tmp/there"]);
  await output(["cp", "web:/tmp/there", join(folder, "back")]);
  const sum = (file: Buffer): string => createHash("sha256").update(file).digest("hex");
  expect(sum(readFileSync(join(folder, "back")))).toBe(sum(bytes));
  rmSync(folder, { recursive: true });
});

test("exit codes and missing programs", async () => {
  expect((await ctl("exec web -- sh -c false")).code).toBe(1);
  const { code, out } = await ctl("exec web -- nowhere");
  expect([126, 127]).toContain(code);
  expect(out).toContain('exec: "nowhere": executable file not found in $PATH');
});

test("an ephemeral container has the processes of its target", async () => {
  await output(`debug web -q --image=${image} --container=look --target=c -- sh -c ps`);
  const log = await until("its log", async () => {
    const { code, out } = await ctl("logs web -c look");
    return code === 0 && out.includes("sleep 100000") && out;
  });
  expect(log).toContain("httpd -p 8080");
});

test("a node is debugged by a pod that has its files", async () => {
  const node = `${cluster.name}-node-1`;
  const created = await output(`debug node/${node} --image=${image} -- ls /host`);
  const [, pod = ""] = /Creating debugging pod (\S+) with container debugger/.exec(created) ?? [];
  const log = await until("its log", async () => {
    const { code, out } = await ctl(`logs ${pod}`);
    return code === 0 && out.includes("etc") && out;
  });
  expect(log.split("\n")).toEqual(expect.arrayContaining(["etc", "usr", "var"]));
  await output(`delete pod ${pod} --now`);
});

test("run --rm shows the output and deletes the pod", async () => {
  const words = `run talk --rm -i --restart=Never --image=${image} --command -- cat`;
  expect((await ended(command(words.split(" ")), "over and out\n")).out).toContain("over and out");
  expect((await ctl("get pod talk")).err).toContain("not found");
});

test("proxies to a pod and its node", async () => {
  expect(await output(["get", "--raw", "/api/v1/namespaces/default/pods/web/proxy/index.html"])).toBe("hello\n");
  const node = `/api/v1/nodes/${cluster.name}-node-1/proxy`;
  expect(await output(["get", "--raw", `${node}/healthz`])).toBe("ok");
  expect(await output(["get", "--raw", `${node}/metrics/resource`])).toContain('pod="web"');
});
