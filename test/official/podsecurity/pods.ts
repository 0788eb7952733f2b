// Generated pods with fields that pod security checks, of values that are allowed and of others.
import type { PodTemplate } from "../../../apiserver/admission/podsecurity/violations.ts";
import type { Chance } from "../scheduler/chance.ts";

const words = ["", "a", "ALL", 'with "quotes"', "container_t", "container_engine_t", "spc_t"];
const capabilities = ["ALL", "NET_BIND_SERVICE", "NET_RAW", "SYS_ADMIN", "CHOWN", "cap_chown"];
const profileTypes = ["RuntimeDefault", "Localhost", "Unconfined"];
const sysctls = [
  ...["kernel.shm_rmid_forced", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time"],
  ...["net.ipv4.tcp_rmem", "net.core.somaxconn", "kernel.msgmax"],
];
const volumes = [
  ...["configMap", "secret", "emptyDir", "hostPath", "nfs", "iscsi", "gcePersistentDisk", "projected", "ephemeral"],
  ...["csi", "image", "rbd", "flexVolume", "scaleIO", "storageos", "portworxVolume", "glusterfs", "azureFile", "fc"],
];
const annotations = [...["runtime/default", "docker/default", "localhost/x", "unconfined", "", 'a"b\u0001']] as const;
const annotationKeys = [
  ...["seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/a0"],
  ...["container.apparmor.security.beta.kubernetes.io/a0", "container.apparmor.security.beta.kubernetes.io/b1"],
];

const sharedContext = ({ of, pick, maybe }: Chance) => ({
  ...maybe(0.2, () => ({ appArmorProfile: { type: pick(profileTypes) } })),
  ...maybe(0.3, () => ({ seccompProfile: { type: pick(profileTypes) } })),
  ...maybe(0.2, () => ({ seLinuxOptions: { type: pick(words), user: pick(["", "u"]), role: pick(["", "r"]) } })),
  ...maybe(0.4, () => ({ runAsNonRoot: of(0.7) })),
  ...maybe(0.2, () => ({ runAsUser: pick([0, 1, 1000]) })),
  ...maybe(0.1, () => ({ windowsOptions: { hostProcess: of(0.5) } })),
});
const containerContext = (chance: Chance) => ({
  ...sharedContext(chance),
  ...chance.maybe(0.6, () => ({ allowPrivilegeEscalation: chance.of(0.2) })),
  ...chance.maybe(0.2, () => ({ privileged: chance.of(0.5) })),
  ...chance.maybe(0.2, () => ({ procMount: chance.pick(["Default", "Unmasked"]) })),
  ...chance.maybe(0.6, () => ({
    capabilities: {
      ...chance.maybe(0.7, () => ({ drop: ["ALL", ...chance.some(capabilities, 0.2)] })),
      ...chance.maybe(0.5, () => ({ add: chance.some(capabilities, 0.3) })),
    },
  })),
});

const handler = ({ pick }: Chance) =>
  pick([
    { httpGet: { port: 80, host: pick(["", "10.0.0.1", "b"]) } },
    { tcpSocket: { port: 80, host: pick(["", "127.0.0.1"]) } },
    { exec: { command: ["true"] } },
  ]);
const container = (chance: Chance, name: string) => ({
  name,
  image: "i",
  ...chance.maybe(0.8, () => ({ securityContext: containerContext(chance) })),
  ...chance.maybe(0.2, () => ({
    ports: chance.list(0, 2, () => ({ containerPort: 80, hostPort: chance.pick([0, 80, 9, 8080]) })),
  })),
  ...chance.maybe(0.15, () => ({ livenessProbe: handler(chance) })),
  ...chance.maybe(0.1, () => ({ readinessProbe: handler(chance) })),
  ...chance.maybe(0.1, () => ({ startupProbe: handler(chance) })),
  ...chance.maybe(0.1, () => ({ lifecycle: { postStart: handler(chance), preStop: handler(chance) } })),
});

/** One pod. Its names may repeat: what is checked is the policy alone. */
export function generatedPod(chance: Chance): PodTemplate {
  const { of, pick, maybe, list, some } = chance;
  const named = (letter: string, least: number) => list(least, 2, (i) => container(chance, `${letter}${i}`));
  const pod = {
    metadata: maybe(0.3, () => ({
      annotations: Object.fromEntries(some(annotationKeys, 0.5).map((key) => [key, pick(annotations)])),
    })),
    spec: {
      ...maybe(0.6, () => ({
        securityContext: {
          ...sharedContext(chance),
          ...maybe(0.2, () => ({ sysctls: some(sysctls, 0.4).map((name) => ({ name, value: "1" })) })),
        },
      })),
      ...maybe(0.15, () => ({ [pick(["hostNetwork", "hostPID", "hostIPC"])]: of(0.7) })),
      ...maybe(0.2, () => ({ hostUsers: of(0.3) })),
      ...maybe(0.15, () => ({ os: { name: pick(["linux", "windows"]) } })),
      ...maybe(0.3, () => ({ volumes: some(volumes, 0.15).map((type, i) => ({ name: `v${i}`, [type]: {} })) })),
      containers: named("a", 1),
      ...maybe(0.3, () => ({ initContainers: named("b", 0) })),
      ...maybe(0.2, () => ({ ephemeralContainers: named("c", 0) })),
    },
  };
  return pod as unknown as PodTemplate;
}
