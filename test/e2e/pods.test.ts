// Pods on a node with Docker: environment, limits, probes, termination and recovery.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Container, ContainerStatus, Pod } from "../../api/generated/types.ts";
import { configMaps } from "../../api/core/configmaps.ts";
import { secrets } from "../../api/core/secrets.ts";
import { pods } from "../../api/core/pods.ts";
import { tokenReviews } from "../../api/authentication/tokenreviews.ts";
import { key } from "../../api/meta.ts";
import { type OneNode, oneNode } from "./one-node.ts";

let node: OneNode;
beforeAll(async () => {
  node = await oneNode("e2e-pods");
});
afterAll(() => node.down());

const shell = (script: string, more: Partial<Container> = {}): Container => ({
  name: "c",
  image: "orrery/busybox:1",
  command: ["sh", "-c", script],
  ...more,
});
const runForever = shell("trap 'exit 0' TERM; while :; do sleep 0.1; done");
const isReady = (p: Pod | undefined): boolean =>
  p?.status?.conditions?.find((c) => c.type === "Ready")?.status === "True";
const ended = (p: Pod | undefined): boolean => p?.status?.phase === "Succeeded" || p?.status?.phase === "Failed";
const first = (p: Pod | undefined): ContainerStatus => p!.status!.containerStatuses![0]!;
const idOf = (p: Pod): string => first(p).containerID!.replace("docker://", "");

/** Runs a script in a new pod until it ends, and returns its log. */
async function output(name: string, spec: Parameters<OneNode["create"]>[1]): Promise<string> {
  await node.create(name, { restartPolicy: "Never", ...spec });
  await node.until(name, ended);
  const text = await node.log(name);
  await node.remove(name);
  return text;
}

describe("the environment of a container", () => {
  test("host name, addresses and resolver", async () => {
    const text = await output("names", {
      hostname: "boss",
      subdomain: "team",
      containers: [shell("hostname; hostname -f; cat /etc/resolv.conf; env")],
    });
    const [hostname, full] = text.split("\n");
    expect([hostname, full]).toEqual(["boss", "boss.team.default.svc.cluster.local"]);
    expect(text).toContain("search default.svc.cluster.local svc.cluster.local cluster.local");
    expect(text).toContain("KUBERNETES_SERVICE_HOST=10.96.0.1");
  });

  test("service account token and root certificate", async () => {
    const at = "/var/run/secrets/kubernetes.io/serviceaccount";
    const show = shell(`cat ${at}/namespace; echo; cat ${at}/ca.crt ${at}/token`);
    await node.create("account", { restartPolicy: "Never", containers: [show] });
    await node.until("account", ended);
    const lines = (await node.log("account")).trim().split("\n");
    expect(lines.slice(0, 2)).toEqual(["default", "-----BEGIN CERTIFICATE-----"]);
    const spec = { token: lines.at(-1)! };
    const { status } = await node.client.create(tokenReviews, { kind: "TokenReview", metadata: {}, spec });
    expect(status).toMatchObject({
      authenticated: true,
      user: {
        username: "system:serviceaccount:default:default",
        extra: { "authentication.kubernetes.io/pod-name": ["account"] },
      },
    });
    await node.remove("account");
  });

  test("volumes with the requested modes and owners", async () => {
    await node.client.create(configMaps, {
      kind: "ConfigMap",
      metadata: { name: "cm", namespace: "default" },
      data: { a: "1", b: "two" },
    });
    const data = { pw: Buffer.from("hush").toString("base64") };
    await node.client.create(secrets, { kind: "Secret", metadata: { name: "se", namespace: "default" }, data });
    const text = await output("volumes", {
      securityContext: { runAsUser: 1000, fsGroup: 3000 },
      initContainers: [shell("echo from-init > /e/f", { name: "i", volumeMounts: [{ name: "e", mountPath: "/e" }] })],
      containers: [
        shell(
          "cat /e/f /sub /p/pw; echo; stat -L -c '%a %g' /p/pw; df /m | tail -1; id -G; touch /x || echo read-only",
          {
            securityContext: { readOnlyRootFilesystem: true },
            volumeMounts: [
              { name: "e", mountPath: "/e" },
              { name: "m", mountPath: "/m" },
              { name: "c", mountPath: "/sub", subPath: "b" },
              { name: "p", mountPath: "/p" },
            ],
          },
        ),
      ],
      volumes: [
        { name: "e", emptyDir: {} },
        { name: "m", emptyDir: { medium: "Memory", sizeLimit: "8Mi" } },
        { name: "c", configMap: { name: "cm" } },
        { name: "p", projected: { defaultMode: 0o400, sources: [{ secret: { name: "se" } }] } },
      ],
    });
    expect(text).toContain("from-init\ntwohush\n440 3000\n");
    expect(text).toMatch(/tmpfs\s+8192/);
    expect(text).toContain("3000");
    expect(text).toContain("read-only");
  });

  test("host namespaces and privileged access", async () => {
    const text = await output("privileged", {
      hostNetwork: true,
      hostPID: true,
      containers: [
        shell(
          "hostname; ls /sys/class/net; mount -t tmpfs x /mnt 2>/dev/null || mkdir /mnt && mount -t tmpfs x /mnt && echo mounted",
          { securityContext: { privileged: true } },
        ),
      ],
    });
    expect(text).toContain("e2e-pods-node-1");
    expect(text).toContain("docker0");
    expect(text).toContain("mounted");
  });
});

describe("limits of a container", () => {
  test("memory limit", async () => {
    const limits = { memory: "20Mi" };
    await node.create("hungry", {
      restartPolicy: "Never",
      containers: [shell("x=a; while :; do x=$x$x; done", { resources: { limits } })],
    });
    const p = await node.until("hungry", ended);
    expect(first(p).state?.terminated).toMatchObject({ reason: "OOMKilled", exitCode: 137 });
    await node.remove("hungry");
  });

  test("CPU limit", async () => {
    await node.create("busy", {
      containers: [shell("while :; do :; done", { resources: { limits: { cpu: "200m" } } })],
    });
    const p = await node.until("busy", isReady);
    const used = async (): Promise<number> => {
      const all = JSON.parse(await node.text("/apis/metrics.k8s.io/v1beta1/namespaces/default/pods")) as {
        readonly items?: readonly {
          readonly metadata: { readonly name: string };
          readonly containers: readonly { readonly usage: { readonly cpu: string } }[];
        }[];
      };
      const cpu = all.items?.find((i) => i.metadata.name === p.metadata.name)?.containers[0]?.usage.cpu ?? "0n";
      return Number(cpu.replace(/n$/, "")) / 1e6;
    };
    let millis = 0;
    for (let tries = 0; tries < 60 && millis < 100; tries++) {
      await node.clock.sleep(500);
      millis = await used();
    }
    expect(millis).toBeGreaterThan(100);
    expect(millis).toBeLessThan(260);
    await node.remove("busy");
  });
});

describe("probes", () => {
  test("HTTP, exec and TCP probes", async () => {
    const httpGet = { path: "/", port: "http" };
    const ports = [{ name: "http", containerPort: 8080 }];
    const image = "orrery/web:1";
    await node.create("probed", {
      containers: [
        {
          name: "web",
          image,
          ports,
          startupProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
          readinessProbe: { httpGet, periodSeconds: 1 },
        },
        shell("touch /dev/shm/ok; sleep 1000", {
          readinessProbe: { exec: { command: ["test", "-e", "/dev/shm/ok"] }, periodSeconds: 1 },
        }),
      ],
    });
    await node.until("probed", isReady);
    await node.remove("probed");
  });

  test("a failed liveness probe restarts the container", async () => {
    const livenessProbe = { tcpSocket: { port: 99 }, periodSeconds: 1, failureThreshold: 2 };
    await node.create("silent", { containers: [shell("sleep 1000", { livenessProbe })] });
    const p = await node.until("silent", (seen) => (seen?.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0);
    expect(first(p).lastState?.terminated?.exitCode).toBe(137);
    await node.remove("silent");
  });
});

describe("termination", () => {
  test("preStop hook and stop signal within the grace period", async () => {
    const script = "trap 'echo TERM; exit 0' TERM; while :; do sleep 0.1; done";
    const lifecycle = { preStop: { exec: { command: ["sh", "-c", "echo preStop > /proc/1/fd/1"] } } };
    await node.create("polite", { terminationGracePeriodSeconds: 20, containers: [shell(script, { lifecycle })] });
    await node.until("polite", isReady);
    const log = node.log("polite", "follow=true");
    const since = node.clock.now();
    await node.client.delete(pods, key("default", "polite"));
    await node.until("polite", (p) => p === undefined);
    expect(node.clock.now() - since).toBeLessThan(10_000);
    expect(await log).toBe("preStop\nTERM\n");
  });

  test("termination message and previous log", async () => {
    await node.create("talker", { containers: [shell("echo run; echo sorry > /dev/termination-log; exit 3")] });
    const p = await node.until(
      "talker",
      (seen) => seen?.status?.containerStatuses?.[0]?.state?.waiting?.reason === "CrashLoopBackOff",
    );
    expect(first(p).lastState?.terminated).toMatchObject({ exitCode: 3, message: "sorry\n" });
    expect(await node.log("talker", "previous=true")).toBe("run\n");
    await node.remove("talker");
  });

  test("nothing is left on the node", async () => {
    await node.until("talker", (p) => p === undefined);
    const left = async (): Promise<string> =>
      (
        await node.inNode(
          "sh",
          "-c",
          "docker ps -aq --filter name=k8s_; ls /var/lib/orrery/pods; find /sys/fs/cgroup -name 'pod*-*-*' 2>/dev/null; true",
        )
      ).trim();
    for (let tries = 0; tries < 100 && (await left()) !== ""; tries++) await node.clock.sleep(100);
    expect(await left()).toBe("");
  });
});

describe("recovery", () => {
  const again = async (command: string): Promise<void> => {
    await node.inNode("sh", "-c", command);
    await node.clock.sleep(3_000);
    await node.until("lasting", isReady);
  };

  test("restart of the kubelet and of the engine", async () => {
    await node.create("lasting", { containers: [runForever] });
    const before = await node.until("lasting", isReady);
    await again("kill -9 $(cat /run/orrery/agent/pid)");
    await again("kill -9 $(cat /run/orrery/dockerd/pid)");
    const after = await node.until("lasting", isReady);
    expect([idOf(after), first(after).restartCount]).toEqual([idOf(before), 0]);
  });

  test("restart of a killed container within a second", async () => {
    const before = await node.until("lasting", isReady);
    await node.inNode("docker", "kill", idOf(before));
    const since = node.clock.now();
    await node.until("lasting", (p) => first(p).restartCount === 1 && isReady(p));
    expect(node.clock.now() - since).toBeLessThan(1_500);
  });

  test("loss of its sandbox", async () => {
    const before = await node.until("lasting", isReady);
    await node.inNode("sh", "-c", "docker kill $(docker ps -q --filter name=k8s_POD_lasting)");
    await node.until("lasting", (p) => first(p).containerID !== first(before).containerID && isReady(p));
    await node.remove("lasting");
  });
});
