// Pod security: for every check, pods it allows and pods it forbids, with the message, in the versions that matter.
import { expect, test } from "vitest";
import { details, violationsOf } from "../../../../apiserver/admission/podsecurity/checks.ts";
import type { Level, PolicyVersion } from "../../../../apiserver/admission/podsecurity/levels.ts";
import type { PodTemplate } from "../../../../apiserver/admission/podsecurity/violations.ts";
import type { PodSpec, SecurityContext } from "../../../../api/generated/types.ts";

type Fields = Readonly<Record<string, unknown>>;
const c1 = { name: "c1", image: "i" };
/** A pod of two containers; the fields of the first, and of the pod. */
const pod = (
  container: Fields = {},
  spec: Fields = {},
  annotations?: Readonly<Record<string, string>>,
): PodTemplate => ({
  ...(annotations && { metadata: { annotations } }),
  spec: {
    containers: [
      { ...c1, ...container },
      { name: "c2", image: "i" },
    ],
    ...spec,
  } as PodSpec,
});
const context = (securityContext: Fields, spec: Fields = {}): PodTemplate => pod({ securityContext }, spec);
const ofPod = (securityContext: Fields): PodTemplate => pod({}, { securityContext });

const hardened: SecurityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
/** A pod that the level restricted allows in every version. */
const restricted = (container: Fields = {}, spec: Fields = {}): PodTemplate => ({
  spec: {
    containers: [{ ...c1, securityContext: { ...hardened, ...(container as SecurityContext) } }],
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    ...spec,
  } as PodSpec,
});
const nonRoot = (seccompProfile: unknown = { type: "RuntimeDefault" }) => ({
  securityContext: { runAsNonRoot: true, seccompProfile },
});

type Case = readonly [name: string, pod: PodTemplate, version: PolicyVersion, message: string];
const checked = (level: Level, cases: readonly Case[]): void => {
  test.each(cases)(`${level}: %s in %3$s`, (_name, template, version, message) => {
    expect(details(violationsOf({ level, version }, template))).toBe(message);
  });
};

const appArmor = "container.apparmor.security.beta.kubernetes.io/c1";
const oldSeccomp = "seccomp.security.alpha.kubernetes.io/pod";
const host = (field: string): Fields => ({ [field]: { httpGet: { port: 80, host: "h1" } } });

checked("baseline", [
  ["nothing", pod(), 0, ""],
  ["AppArmor by default", context({ appArmorProfile: { type: "RuntimeDefault" } }), "latest", ""],
  ["an AppArmor profile of the node", context({ appArmorProfile: { type: "Localhost" } }), "latest", ""],
  [
    "no AppArmor",
    context({ appArmorProfile: { type: "Unconfined" } }),
    0,
    'forbidden AppArmor profile (container "c1" must not set AppArmor profile type to "Unconfined")',
  ],
  [
    "no AppArmor, everywhere",
    pod(
      { securityContext: { appArmorProfile: { type: "Unconfined" } } },
      { securityContext: { appArmorProfile: { type: "X" } } },
      { [appArmor]: "unconfined", other: "unconfined" },
    ),
    "latest",
    `forbidden AppArmor profiles (pod and container "c1" and annotation must not set AppArmor profile type to "Unconfined", "X", "${appArmor}="unconfined"")`,
  ],
  ["an AppArmor annotation", pod({}, {}, { [appArmor]: "localhost/x" }), "latest", ""],
  ["an empty AppArmor annotation", pod({}, {}, { [appArmor]: "" }), "latest", ""],
  ["a default capability", context({ capabilities: { add: ["CHOWN"] } }), "latest", ""],
  [
    "other capabilities",
    context({ capabilities: { add: ["SYS_ADMIN", "CHOWN", "NET_RAW"] } }),
    0,
    'non-default capabilities (container "c1" must not include "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add)',
  ],
  ["namespaces of its own", pod({}, { hostNetwork: false, hostPID: false }), "latest", ""],
  [
    "namespaces of the node",
    pod({}, { hostNetwork: true, hostPID: true, hostIPC: true }),
    0,
    "host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)",
  ],
  [
    "a path of the node",
    pod(
      {},
      {
        volumes: [
          { name: "v", hostPath: { path: "/" } },
          { name: "e", emptyDir: {} },
        ],
      },
    ),
    0,
    'hostPath volumes (volume "v")',
  ],
  ["host port 0", pod({ ports: [{ containerPort: 1, hostPort: 0 }] }), "latest", ""],
  [
    "ports of the node",
    pod({
      ports: [
        { containerPort: 1, hostPort: 9 },
        { containerPort: 2, hostPort: 80 },
      ],
    }),
    0,
    'hostPort (container "c1" uses hostPorts 80, 9)',
  ],
  ["a probe of another host before v1.34", pod(host("livenessProbe")), 33, ""],
  [
    "a probe of another host",
    pod(host("livenessProbe")),
    34,
    'probe or lifecycle host (container "c1" uses probe or lifecycle host "h1")',
  ],
  [
    "a handler of another host",
    pod({ lifecycle: { postStart: { tcpSocket: { port: 1, host: "h2" } } }, ...host("readinessProbe") }),
    "latest",
    'probe or lifecycle host (container "c1" uses probe or lifecycle hosts "h1", "h2")',
  ],
  ["a probe of no host", pod({ startupProbe: { tcpSocket: { port: 1, host: "" } } }), "latest", ""],
  ["privileged: false", context({ privileged: false }), "latest", ""],
  [
    "privileged",
    pod(
      { securityContext: { privileged: true } },
      { initContainers: [{ name: "i1", securityContext: { privileged: true } }] },
    ),
    0,
    'privileged (containers "i1", "c1" must not set securityContext.privileged=true)',
  ],
  ["the default /proc", context({ procMount: "Default" }), "latest", ""],
  [
    "all of /proc",
    context({ procMount: "Unmasked" }, { hostUsers: false }),
    34,
    'procMount (container "c1" must not set securityContext.procMount to "Unmasked")',
  ],
  ["all of /proc in a user namespace", context({ procMount: "Unmasked" }, { hostUsers: false }), 35, ""],
  [
    "all of /proc without a user namespace",
    context({ procMount: "Unmasked" }, { hostUsers: true }),
    "latest",
    'procMount (container "c1" must not set securityContext.procMount to "Unmasked")',
  ],
  ["an SELinux type of containers", ofPod({ seLinuxOptions: { type: "container_kvm_t", level: "s0" } }), "latest", ""],
  [
    "the SELinux type of engines before v1.31",
    context({ seLinuxOptions: { type: "container_engine_t" } }),
    30,
    'seLinuxOptions (container "c1" set forbidden securityContext.seLinuxOptions: type "container_engine_t")',
  ],
  ["the SELinux type of engines", context({ seLinuxOptions: { type: "container_engine_t" } }), 31, ""],
  [
    "other SELinux options",
    pod(
      { securityContext: { seLinuxOptions: { type: "b", role: "r" } } },
      { securityContext: { seLinuxOptions: { type: "a", user: "u" } } },
    ),
    "latest",
    'seLinuxOptions (pod and container "c1" set forbidden securityContext.seLinuxOptions: types "a", "b"; user may not be set; role may not be set)',
  ],
  ["a seccomp annotation", pod({}, {}, { [oldSeccomp]: "docker/default" }), 18, ""],
  [
    "no seccomp by annotations",
    pod({}, {}, { [oldSeccomp]: "unconfined", "container.seccomp.security.alpha.kubernetes.io/c2": "x" }),
    18,
    `seccompProfile (forbidden annotations container.seccomp.security.alpha.kubernetes.io/c2="x", ${oldSeccomp}="unconfined")`,
  ],
  ["seccomp annotations in later versions", pod({}, {}, { [oldSeccomp]: "unconfined" }), 19, ""],
  ["no seccomp before v1.19", context({ seccompProfile: { type: "Unconfined" } }), 18, ""],
  [
    "no seccomp",
    context({ seccompProfile: { type: "Unconfined" } }),
    19,
    'seccompProfile (container "c1" must not set securityContext.seccompProfile.type to "Unconfined")',
  ],
  ["a safe sysctl", ofPod({ sysctls: [{ name: "kernel.shm_rmid_forced", value: "0" }] }), 0, ""],
  [
    "another sysctl",
    ofPod({
      sysctls: [
        { name: "kernel.msgmax", value: "0" },
        { name: "b", value: "1" },
      ],
    }),
    "latest",
    "forbidden sysctls (kernel.msgmax, b)",
  ],
  ...(
    [
      ["net.ipv4.ip_local_reserved_ports", 27],
      ["net.ipv4.tcp_keepalive_probes", 29],
      ["net.ipv4.tcp_wmem", 32],
    ] as const
  ).flatMap(([name, since]): readonly Case[] => [
    [name, ofPod({ sysctls: [{ name, value: "0" }] }), since - 1, `forbidden sysctls (${name})`],
    [name, ofPod({ sysctls: [{ name, value: "0" }] }), since, ""],
  ]),
  ["no process of the host", ofPod({ windowsOptions: { hostProcess: false } }), "latest", ""],
  [
    "a process of the host",
    pod(
      { securityContext: { windowsOptions: { hostProcess: true } } },
      { securityContext: { windowsOptions: { hostProcess: true } } },
    ),
    0,
    'hostProcess (pod and container "c1" must not set securityContext.windowsOptions.hostProcess=true)',
  ],
]);

const escalation =
  'allowPrivilegeEscalation != false (container "c1" must set securityContext.allowPrivilegeEscalation=false)';
checked("restricted", [
  ["what is hardened", restricted(), 0, ""],
  ["what is hardened", restricted(), "latest", ""],
  ["what is hardened, in a version to come", restricted(), 99, ""],
  ["an escalation before v1.8", restricted({ allowPrivilegeEscalation: true }), 7, ""],
  ["an escalation", restricted({ allowPrivilegeEscalation: true }), 8, escalation],
  ["no word on escalation", restricted({ allowPrivilegeEscalation: undefined }), "latest", escalation],
  [
    "no word on escalation for Windows before v1.25",
    restricted({ allowPrivilegeEscalation: undefined }, { os: { name: "windows" } }),
    24,
    escalation,
  ],
  [
    "no word on escalation for Windows",
    restricted({ allowPrivilegeEscalation: undefined }, { os: { name: "windows" } }),
    25,
    "",
  ],
  ["default capabilities before v1.22", restricted({ capabilities: { add: ["CHOWN"] } }), 21, ""],
  [
    "default capabilities",
    restricted({ capabilities: { add: ["CHOWN", "NET_BIND_SERVICE"] } }),
    22,
    'unrestricted capabilities (container "c1" must set securityContext.capabilities.drop=["ALL"]; container "c1" must not include "CHOWN" in securityContext.capabilities.add)',
  ],
  [
    "other capabilities before v1.22",
    restricted({ capabilities: { drop: ["ALL"], add: ["NET_RAW"] } }),
    21,
    'non-default capabilities (container "c1" must not include "NET_RAW" in securityContext.capabilities.add)',
  ],
  ["low ports", restricted({ capabilities: { drop: ["X", "ALL"], add: ["NET_BIND_SERVICE"] } }), "latest", ""],
  ["default capabilities for Windows", restricted({ capabilities: undefined }, { os: { name: "windows" } }), 25, ""],
  [
    "all of /proc in a user namespace",
    restricted({ procMount: "Unmasked" }, { hostUsers: false }),
    "latest",
    'procMount (container "c1" must not set securityContext.procMount to "Unmasked")',
  ],
  [
    "safe volumes",
    restricted(
      {},
      {
        volumes: [
          { name: "v", image: {} },
          { name: "w", csi: {} },
        ],
      },
    ),
    "latest",
    "",
  ],
  [
    "volumes of the node or of servers",
    restricted(
      {},
      { volumes: [{ name: "v", hostPath: {} }, { name: "w", nfs: {} }, { name: "x" }, { name: "y", secret: {} }] },
    ),
    0,
    'restricted volume types (volumes "v", "w", "x" use restricted volume types "hostPath", "nfs", "unknown")',
  ],
  [
    "root not excluded",
    restricted({}, { securityContext: { seccompProfile: { type: "Localhost" } } }),
    0,
    'runAsNonRoot != true (pod or container "c1" must set securityContext.runAsNonRoot=true)',
  ],
  [
    "root allowed in a container",
    restricted({ runAsNonRoot: false }),
    34,
    'runAsNonRoot != true (container "c1" must not set securityContext.runAsNonRoot=false)',
  ],
  ["root allowed in a user namespace", restricted({ runAsNonRoot: false }, { hostUsers: false }), 35, ""],
  [
    "root allowed in a user namespace before v1.35",
    restricted({ runAsNonRoot: false }, { hostUsers: false }),
    34,
    'runAsNonRoot != true (container "c1" must not set securityContext.runAsNonRoot=false)',
  ],
  [
    "root excluded by the container",
    restricted({ runAsNonRoot: true }, { ...nonRoot(), securityContext: { seccompProfile: { type: "Localhost" } } }),
    "latest",
    "",
  ],
  ["the user root before v1.23", restricted({ runAsUser: 0 }), 22, ""],
  ["the user root", restricted({ runAsUser: 0 }), 23, 'runAsUser=0 (container "c1" must not set runAsUser=0)'],
  ["the user root in a user namespace", restricted({ runAsUser: 0 }, { hostUsers: false }), 35, ""],
  ["another user", restricted({ runAsUser: 1 }), "latest", ""],
  ["no seccomp profile before v1.19", restricted({}, nonRoot(undefined)), 18, ""],
  [
    "no seccomp profile",
    restricted({}, { securityContext: { runAsNonRoot: true } }),
    19,
    'seccompProfile (pod or container "c1" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  ],
  [
    "no seccomp, in a container",
    restricted({ seccompProfile: { type: "Unconfined" } }),
    "latest",
    'seccompProfile (container "c1" must not set securityContext.seccompProfile.type to "Unconfined")',
  ],
  [
    "no seccomp profile for Windows",
    restricted({}, { os: { name: "windows" }, securityContext: { runAsNonRoot: true } }),
    25,
    "",
  ],
  [
    "an ephemeral container",
    restricted({}, { ephemeralContainers: [{ name: "debug" }] }),
    "latest",
    'allowPrivilegeEscalation != false (container "debug" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "debug" must set securityContext.capabilities.drop=["ALL"])',
  ],
  [
    "everything at once, what baseline checks first",
    pod({ securityContext: { privileged: true } }, { hostPID: true }),
    "latest",
    'host namespaces (hostPID=true), privileged (container "c1" must not set securityContext.privileged=true), allowPrivilegeEscalation != false (containers "c1", "c2" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (containers "c1", "c2" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or containers "c1", "c2" must set securityContext.runAsNonRoot=true), seccompProfile (pod or containers "c1", "c2" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  ],
]);

checked("privileged", [
  ["everything", pod({ securityContext: { privileged: true } }, { hostPID: true }), "latest", ""],
]);
