// Validation of pods and of their updates.
import { expect, test } from "vitest";
import { pods } from "../../../../api/core/pods.ts";
import { stored, changes, refuses, type Invalid } from "./validation-cases.ts";

const main = { name: "main", image: "app:1" };
const pod = (spec: object): object => ({ spec: { containers: [main], ...spec } });
const one = (container: object): object => pod({ containers: [{ ...main, ...container }] });
const volume = (source: object): object => pod({ volumes: [{ name: "v", ...source }] });

const containers: readonly Invalid[] = [
  ["no container", pod({ containers: [] }), "spec.containers: Required value"],
  [
    "a container with a long name",
    one({ name: "a".repeat(64) }),
    `spec.containers[0].name: Invalid value: "${"a".repeat(64)}": must be no more than 63 characters`,
  ],
  [
    "spaces around an image",
    one({ image: " app:1" }),
    'spec.containers[0].image: Invalid value: " app:1": must not have leading or trailing whitespace',
  ],
  [
    "an init container of the same name",
    pod({ initContainers: [main] }),
    'spec.initContainers[0].name: Duplicate value: "main"',
  ],
  [
    "an init container with a liveness probe",
    pod({ initContainers: [{ name: "first", image: "a", livenessProbe: { tcpSocket: { port: 1 } } }] }),
    "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
  ],
  [
    "an ephemeral container on create",
    pod({ ephemeralContainers: [{ name: "debug", image: "a" }] }),
    "spec.ephemeralContainers: Forbidden: cannot be set on create",
  ],
  [
    "an unknown pull policy",
    one({ imagePullPolicy: "Sometimes" }),
    'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
  ],
  [
    "restart rules without a policy",
    one({ restartPolicyRules: [{ action: "Restart", exitCodes: { operator: "In", values: [1] } }] }),
    "spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used",
  ],
];
const ports: readonly Invalid[] = [
  ["a port without a number", one({ ports: [{}] }), "spec.containers[0].ports[0].containerPort: Required value"],
  [
    "a port's name of digits only",
    one({ ports: [{ containerPort: 80, name: "80" }] }),
    'spec.containers[0].ports[0].name: Invalid value: "80": must contain at least one letter (a-z)',
  ],
  [
    "two ports with one name",
    one({
      ports: [
        { containerPort: 80, name: "web" },
        { containerPort: 81, name: "web" },
      ],
    }),
    'spec.containers[0].ports[1].name: Duplicate value: "web"',
  ],
  [
    "a duplicate host port",
    one({
      ports: [
        { containerPort: 80, hostPort: 8080 },
        { containerPort: 81, hostPort: 8080 },
      ],
    }),
    'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//8080"',
  ],
  [
    "a different host port with hostNetwork",
    { spec: { hostNetwork: true, containers: [{ ...main, ports: [{ containerPort: 80, hostPort: 81 }] }] } },
    "spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true",
  ],
];
const environment: readonly Invalid[] = [
  ["a variable without a name", one({ env: [{ value: "1" }] }), "spec.containers[0].env[0].name: Required value"],
  [
    "a variable with two values",
    one({ env: [{ name: "A", value: "1", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] }),
    'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
  ],
  [
    "a variable with an empty source",
    one({ env: [{ name: "A", valueFrom: {} }] }),
    'spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
  ],
  [
    "a field that is not supported in variables",
    one({ env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.labels" } } }] }),
    'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
  ],
  [
    "a field that does not exist",
    one({ env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.color" } } }] }),
    'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.color": error converting fieldPath: field label not supported: spec.color',
  ],
  [
    "envFrom with an empty source",
    one({ envFrom: [{}] }),
    'spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
  ],
];
const handlers: readonly Invalid[] = [
  [
    "an exec probe without a command",
    one({ livenessProbe: { exec: {} } }),
    "spec.containers[0].livenessProbe.exec.command: Required value",
  ],
  [
    "a probe with two handlers",
    one({ readinessProbe: { exec: { command: ["a"] }, tcpSocket: { port: 80 } } }),
    "spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
  ],
  [
    "a liveness probe with a success threshold of two",
    one({ livenessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 } }),
    "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
  ],
  [
    "a readiness probe with a grace period",
    one({ readinessProbe: { tcpSocket: { port: 80 }, terminationGracePeriodSeconds: 5 } }),
    "spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes",
  ],
  [
    "a preStop sleep longer than the grace period",
    one({ lifecycle: { preStop: { sleep: { seconds: 31 } } } }),
    "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)",
  ],
  [
    "a stop signal without an operating system",
    one({ lifecycle: { stopSignal: "SIGTERM" } }),
    "spec.containers[0].lifecycle.stopSignal: Forbidden: may not be set for containers with empty `spec.os.name`",
  ],
];
const resources: readonly Invalid[] = [
  [
    "an unknown resource",
    one({ resources: { limits: { gold: "1" } } }),
    'spec.containers[0].resources.limits[gold]: Invalid value: "gold": must be a standard resource type or fully qualified',
    'spec.containers[0].resources.limits[gold]: Invalid value: "gold": must be a standard resource for containers',
    'spec.containers[0].resources.requests[gold]: Invalid value: "gold": must be a standard resource type or fully qualified',
    'spec.containers[0].resources.requests[gold]: Invalid value: "gold": must be a standard resource for containers',
  ],
  [
    "a fraction of an extended resource",
    one({ resources: { limits: { "example.com/gpu": "500m" } } }),
    'spec.containers[0].resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer',
    'spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer',
  ],
  [
    "huge pages without cpu or memory",
    one({ resources: { limits: { "hugepages-2Mi": "4Mi" } } }),
    "spec.containers[0].resources: Forbidden: HugePages require cpu or memory",
  ],
];
const volumes: readonly Invalid[] = [
  ["an image volume without image", volume({ image: {} }), "spec.volumes[0].image.reference: Required value"],
  [
    "a volume with two sources",
    volume({ emptyDir: {}, hostPath: { path: "/a" } }),
    "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
  ],
  [
    "a host path with backsteps",
    volume({ hostPath: { path: "/a/../b" } }),
    "spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'",
  ],
  ["a secret without a name", volume({ secret: {} }), "spec.volumes[0].secret.secretName: Required value"],
  [
    "a file mode out of range",
    volume({ configMap: { name: "c", defaultMode: 1000 } }),
    "spec.volumes[0].configMap.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive",
  ],
  [
    "a token with too short a lifetime",
    volume({ projected: { sources: [{ serviceAccountToken: { path: "token", expirationSeconds: 60 } }] } }),
    "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes",
  ],
  [
    "two mounts at one path",
    pod({
      volumes: [{ name: "v" }, { name: "w" }],
      containers: [
        {
          ...main,
          volumeMounts: [
            { name: "v", mountPath: "/a" },
            { name: "w", mountPath: "/a" },
          ],
        },
      ],
    }),
    'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique',
  ],
];
const placement: readonly Invalid[] = [
  [
    "a toleration with a value and no key",
    pod({ tolerations: [{ operator: "Equal", value: "a" }] }),
    'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
  ],
  [
    "tolerationSeconds with NoSchedule",
    pod({ tolerations: [{ key: "a", operator: "Exists", effect: "NoSchedule", tolerationSeconds: 1 }] }),
    "spec.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when `tolerationSeconds` is set",
  ],
  [
    "a node affinity without terms",
    pod({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } } }),
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term",
  ],
  [
    "an invalid topology spread constraint",
    pod({ topologySpreadConstraints: [{ maxSkew: 0, topologyKey: "", whenUnsatisfiable: "Never" }] }),
    "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
    "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty",
    'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Never": supported values: "DoNotSchedule", "ScheduleAnyway"',
  ],
  [
    "a node name with scheduling gates",
    pod({ nodeName: "n", schedulingGates: [{ name: "wait" }] }),
    "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
  ],
];
const rights: readonly Invalid[] = [
  [
    "a negative user id",
    pod({ securityContext: { runAsUser: -1 } }),
    "spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
  ],
  [
    "a privileged container without privilege escalation",
    one({ securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
    'spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
  ],
  [
    "DNS policy None without a configuration",
    pod({ dnsPolicy: "None" }),
    "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
  ],
  [
    "hostPID of a Windows pod",
    pod({ os: { name: "windows" }, hostPID: true }),
    "spec.hostPID: Forbidden: cannot be set for a windows pod",
  ],
];
refuses(pods, [
  ...containers,
  ...ports,
  ...environment,
  ...handlers,
  ...resources,
  ...volumes,
  ...placement,
  ...rights,
]);

const mayChange =
  "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
const tolerant = { tolerations: [{ key: "a", operator: "Exists" }] };
const gated = { schedulingGates: [{ name: "wait" }] };
changes(pods, [
  ["the image can change", pod({}), one({ image: "app:2" })],
  ["the command cannot change", pod({}), one({ command: ["sh"] }), mayChange],
  ["a toleration can be added", pod({}), pod(tolerant)],
  [
    "a toleration cannot be removed",
    pod(tolerant),
    pod({}),
    "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
  ],
  ["a deadline can be set", pod({}), pod({ activeDeadlineSeconds: 10 })],
  ["a deadline can be shortened", pod({ activeDeadlineSeconds: 10 }), pod({ activeDeadlineSeconds: 5 })],
  [
    "a deadline cannot be extended",
    pod({ activeDeadlineSeconds: 5 }),
    pod({ activeDeadlineSeconds: 10 }),
    "spec.activeDeadlineSeconds: Invalid value: 10: must be less than or equal to previous value",
  ],
  [
    "a container cannot be added",
    pod({}),
    pod({ containers: [main, { name: "more", image: "a" }] }),
    "spec.containers: Forbidden: pod updates may not add or remove containers",
  ],
  ["a scheduling gate can be removed", pod(gated), pod({})],
  [
    "a scheduling gate cannot be added",
    pod({}),
    pod(gated),
    "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'wait'",
  ],
  ["a gated pod can get a node selector", pod(gated), pod({ ...gated, nodeSelector: { disk: "fast" } })],
  [
    "a gated pod cannot change its node selector",
    pod({ ...gated, nodeSelector: { disk: "fast" } }),
    pod({ ...gated, nodeSelector: { disk: "slow" } }),
    'spec.nodeSelector: Invalid value: {"disk":"slow"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
  ],
  ["an ungated pod cannot set a node selector", pod({}), pod({ nodeSelector: { disk: "fast" } }), mayChange],
]);

test("Pod: the message of a refused update shows the difference", () => {
  const problem = pods.validate(stored(pods, one({ command: ["sh"] })), stored(pods, pod({})))[0];
  expect(problem?.message).toContain("\n@@ ");
  expect(problem?.message).toContain('+   "command": [');
});

test("Pod: a negative grace period becomes one second, except in templates", () => {
  const grace = (seconds: number) => stored(pods, pod({ terminationGracePeriodSeconds: seconds })).spec;
  expect([-1, 0, 5].map((seconds) => grace(seconds).terminationGracePeriodSeconds)).toEqual([1, 0, 5]);
});

test("Pod: defaults", () => {
  const { spec, status } = stored(pods, one({ resources: { limits: { cpu: "1" } }, ports: [{ containerPort: 80 }] }));
  expect(spec).toMatchObject({
    dnsPolicy: "ClusterFirst",
    enableServiceLinks: true,
    restartPolicy: "Always",
    schedulerName: "default-scheduler",
    securityContext: {},
    serviceAccount: "default",
    serviceAccountName: "default",
    terminationGracePeriodSeconds: 30,
  });
  expect(spec.containers[0]).toEqual({
    ...main,
    imagePullPolicy: "IfNotPresent",
    ports: [{ containerPort: 80, protocol: "TCP" }],
    resources: { limits: { cpu: "1" }, requests: { cpu: "1" } },
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
  });
  expect(status).toEqual({ phase: "Pending", qosClass: "Burstable" });
});
