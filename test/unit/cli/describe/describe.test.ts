// Descriptions have the bytes of kubectl 1.36, from which the expected texts were taken.
import { expect, test } from "vitest";
import type {
  CoreV1Event,
  Deployment,
  EndpointSlice,
  NetworkPolicy,
  Node,
  Pod,
  ReplicaSet,
  ResourceSlice,
  Role,
  Secret,
  Service,
} from "../../../../api/generated/types.ts";
import { type ApiObject, instantOf } from "../../../../api/meta.ts";
import { roleDescriber } from "../../../../cli/describe/access.ts";
import { secretDescriber } from "../../../../cli/describe/configuration.ts";
import { eventLines } from "../../../../cli/describe/events.ts";
import { genericDescriber, titleOf } from "../../../../cli/describe/generic.ts";
import { aligned, annotationLines, timeText } from "../../../../cli/describe/layout.ts";
import { networkPolicyDescriber } from "../../../../cli/describe/network-policies.ts";
import { nodeDescriber } from "../../../../cli/describe/nodes.ts";
import { podDescriber } from "../../../../cli/describe/pods.ts";
import { serviceDescriber } from "../../../../cli/describe/services.ts";
import { deploymentDescriber } from "../../../../cli/describe/workloads.ts";

process.env["TZ"] = "UTC";
const now = instantOf("2026-11-30T06:00:00Z");
const made = "2026-11-30T05:00:00Z";
const metadata = (name: string, more: object = {}) => ({
  name,
  namespace: "desc",
  uid: `uid-${name}`,
  resourceVersion: "1",
  creationTimestamp: made,
  ...more,
});
const context = { now, related: undefined };

test("values of secrets are not shown", () => {
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: metadata("s"),
    type: "Opaque",
    data: { user: "YWRtaW4=", password: "aHVudGVyMg==" },
  } as Secret;
  expect(aligned(secretDescriber.lines(secret, context))).toBe(`Name:         s
Namespace:    desc
Labels:       <none>
Annotations:  <none>

Type:  Opaque

Data
====
password:  7 bytes
user:      5 bytes
`);
});

test("a service has the ready endpoints of each port", () => {
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadata("web"),
    spec: {
      type: "NodePort",
      selector: { tier: "front", app: "web" },
      ipFamilyPolicy: "SingleStack",
      ipFamilies: ["IPv4"],
      clusterIP: "10.96.211.10",
      clusterIPs: ["10.96.211.10"],
      ports: [{ name: "http", port: 80, targetPort: 8080, nodePort: 30080, protocol: "TCP" }],
      sessionAffinity: "None",
      internalTrafficPolicy: "Cluster",
    },
  } as unknown as Service;
  const endpoint = (address: string, ready?: boolean) => ({ addresses: [address], conditions: { ready } });
  const slice = {
    ports: [{ name: "http", port: 8080 }],
    endpoints: [
      endpoint("10.0.0.1", true),
      endpoint("fd::2"),
      endpoint("10.0.0.3", false),
      ...["4", "5"].map((n) => endpoint(`10.0.0.${n}`)),
    ],
  } as unknown as EndpointSlice;
  expect(aligned(serviceDescriber.lines(service, { now, related: [slice] }))).toBe(`Name:                     web
Namespace:                desc
Labels:                   <none>
Annotations:              <none>
Selector:                 app=web,tier=front
Type:                     NodePort
IP Family Policy:         SingleStack
IP Families:              IPv4
IP:                       10.96.211.10
IPs:                      10.96.211.10
Port:                     http  80/TCP
TargetPort:               8080/TCP
NodePort:                 http  30080/TCP
Endpoints:                10.0.0.1:8080,[fd::2]:8080,10.0.0.4:8080 + 1 more...
Session Affinity:         None
Internal Traffic Policy:  Cluster
`);
});

const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "nginx" }] } };
const setOf = (name: string, image: string, replicas: number) =>
  ({
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: metadata(name),
    spec: {
      replicas,
      template: {
        metadata: { labels: { app: "web", "pod-template-hash": name } },
        spec: { containers: [{ name: "c", image }] },
      },
    },
    status: { replicas },
  }) as unknown as ReplicaSet;

test("a deployment has its replica sets", () => {
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadata("web"),
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: "web" } },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: "50%" } },
      template,
    },
    status: {
      updatedReplicas: 2,
      replicas: 3,
      availableReplicas: 1,
      unavailableReplicas: 2,
      conditions: [{ type: "Available", status: "False", reason: "MinimumReplicasUnavailable" }],
    },
  } as unknown as Deployment;
  const related = [setOf("old", "nginx:1", 1), setOf("new", "nginx", 2), setOf("oldest", "nginx:0", 0)];
  expect(aligned(deploymentDescriber.lines(deployment, { now, related }))).toBe(`Name:                   web
Namespace:              desc
CreationTimestamp:      Mon, 30 Nov 2026 05:00:00 +0000
Labels:                 <none>
Annotations:            <none>
Selector:               app=web
Replicas:               3 desired | 2 updated | 3 total | 1 available | 2 unavailable
StrategyType:           RollingUpdate
MinReadySeconds:        0
RollingUpdateStrategy:  50% max unavailable, 1 max surge
Pod Template:
  Labels:  app=web
  Containers:
   c:
    Image:         nginx
    Port:          <none>
    Host Port:     <none>
    Environment:   <none>
    Mounts:        <none>
  Volumes:         <none>
  Node-Selectors:  <none>
  Tolerations:     <none>
Conditions:
  Type           Status  Reason
  ----           ------  ------
  Available      False   MinimumReplicasUnavailable
OldReplicaSets:  old (1/1 replicas created)
NewReplicaSet:   new (2/2 replicas created)
`);
});

test("a pod has the states of its containers", () => {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: metadata("p", { labels: { app: "web" } }),
    spec: {
      nodeName: "n1",
      priority: 0,
      containers: [
        {
          name: "c",
          image: "nginx",
          ports: [
            { containerPort: 80, name: "http" },
            { containerPort: 53, protocol: "UDP" },
          ],
          env: [
            { name: "A", value: "x\ny" },
            { name: "P", valueFrom: { secretKeyRef: { name: "s", key: "password" } } },
          ],
          readinessProbe: { httpGet: { path: "/h", port: 80 }, periodSeconds: 10 },
          volumeMounts: [{ name: "v", mountPath: "/v", readOnly: true }],
        },
      ],
      volumes: [{ name: "v", emptyDir: { medium: "Memory" } }],
      tolerations: [{ key: "k", operator: "Exists", effect: "NoExecute", tolerationSeconds: 30 }],
    },
    status: {
      phase: "Running",
      podIP: "10.0.0.1",
      podIPs: [{ ip: "10.0.0.1" }],
      qosClass: "BestEffort",
      conditions: [{ type: "Ready", status: "True" }],
      containerStatuses: [
        {
          name: "c",
          image: "nginx",
          imageID: "i",
          containerID: "d://1",
          ready: false,
          restartCount: 3,
          state: { waiting: { reason: "CrashLoopBackOff" } },
          lastState: { terminated: { exitCode: 1, reason: "Error", startedAt: made, finishedAt: made } },
        },
      ],
    },
  } as unknown as Pod;
  expect(aligned(podDescriber.lines(pod, context))).toBe(`Name:         p
Namespace:    desc
Priority:     0
Node:         n1/
Labels:       app=web
Annotations:  <none>
Status:       Running
IP:           10.0.0.1
IPs:
  IP:  10.0.0.1
Containers:
  c:
    Container ID:   d://1
    Image:          nginx
    Image ID:       i
    Ports:          80/TCP (http), 53/UDP
    Host Ports:     0/TCP (http), 0/UDP
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       Error
      Exit Code:    1
      Started:      Mon, 30 Nov 2026 05:00:00 +0000
      Finished:     Mon, 30 Nov 2026 05:00:00 +0000
    Ready:          False
    Restart Count:  3
    Readiness:      http-get http://:80/h delay=0s timeout=0s period=10s #success=0 #failure=0
    Environment:
      A:  x
          y
      P:  <set to the key 'password' in secret 's'>  Optional: false
    Mounts:
      /v from v (ro)
Conditions:
  Type    Status
  Ready   True 
Volumes:
  v:
    Type:        EmptyDir (a temporary directory that shares a pod's lifetime)
    Medium:      Memory
    SizeLimit:   <unset>
QoS Class:       BestEffort
Node-Selectors:  <none>
Tolerations:     k:NoExecute op=Exists for 30s
`);
});

test("a node has the requests of its pods", () => {
  const node = {
    apiVersion: "v1",
    kind: "Node",
    metadata: { ...metadata("n1"), namespace: undefined },
    status: { allocatable: { cpu: "2", memory: "4Gi" } },
  } as unknown as Node;
  const pod = (name: string, cpu: string) =>
    ({
      metadata: metadata(name),
      spec: { containers: [{ name: "c", resources: { requests: { cpu, memory: "1Gi" }, limits: { memory: "2Gi" } } }] },
    }) as unknown as Pod;
  const related = { pods: [pod("a", "500m"), pod("b", "1")], lease: new Error("not found"), slices: [] };
  const text = aligned(nodeDescriber.lines(node, { now, related }));
  expect(text.slice(text.indexOf("Non-terminated"))).toBe(`Non-terminated Pods:          (2 in total)
  Namespace                   Name    CPU Requests  CPU Limits  Memory Requests  Memory Limits  Age
  ---------                   ----    ------------  ----------  ---------------  -------------  ---
  desc                        a       500m (25%)    0 (0%)      1Gi (25%)        2Gi (50%)      60m
  desc                        b       1 (50%)       0 (0%)      1Gi (25%)        2Gi (50%)      60m
Allocated resources:
  (Total limits may be over 100 percent, i.e., overcommitted.)
  Resource           Requests     Limits
  --------           --------     ------
  cpu                1500m (75%)  0 (0%)
  memory             2Gi (50%)    4Gi (100%)
  ephemeral-storage  0 (0%)       0 (0%)
`);
});

test("the devices of a node, by driver and pool", () => {
  const slice = (pool: string, count: number) =>
    ({
      spec: { driver: "gpu.example.com", pool: { name: pool }, devices: Array.from({ length: count }, () => ({})) },
    }) as unknown as ResourceSlice;
  const node = { apiVersion: "v1", kind: "Node", metadata: metadata("n1") } as unknown as Node;
  const related = { pods: [], lease: new Error("not found"), slices: [slice("b", 1), slice("a", 2), slice("b", 3)] };
  const text = aligned(nodeDescriber.lines(node, { now, related }));
  expect(text.slice(text.indexOf("Node-Local"), text.indexOf("System Info"))).toBe(`Node-Local ResourceSlices:
  Driver           Pool  Slices  Devices
  ------           ----  ------  -------
  gpu.example.com  a     1       2
  gpu.example.com  b     2       4
`);
});

test("rules of roles are joined by resource", () => {
  const role = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: metadata("r"),
    rules: [
      { apiGroups: [""], resources: ["pods", "pods/log"], verbs: ["get", "list"] },
      { apiGroups: ["apps"], resources: ["deployments/scale"], resourceNames: ["a", "b"], verbs: ["*"] },
      { apiGroups: [""], resources: ["pods"], verbs: ["watch"] },
      { nonResourceURLs: ["/x"], verbs: ["get"] },
    ],
  } as unknown as Role;
  const text = aligned(roleDescriber.lines(role, context));
  expect(text.slice(text.indexOf("PolicyRule"))).toBe(`PolicyRule:
  Resources               Non-Resource URLs  Resource Names  Verbs
  ---------               -----------------  --------------  -----
  deployments.apps/scale  []                 [a]             [*]
  deployments.apps/scale  []                 [b]             [*]
  pods                    []                 []              [get list watch]
  pods/log                []                 []              [get list]
                          [/x]               []              [get]
`);
});

test("network policies in sentences", () => {
  const policy = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadata("np"),
    spec: {
      podSelector: {},
      policyTypes: ["Ingress"],
      ingress: [
        {
          ports: [{ port: 80 }, { port: 100, endPort: 200 }, { protocol: "SCTP" }],
          from: [
            { podSelector: { matchLabels: { a: "b" } } },
            { ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } },
          ],
        },
        {},
      ],
    },
  } as unknown as NetworkPolicy;
  const text = aligned(networkPolicyDescriber.lines(policy, context));
  expect(text.slice(text.indexOf("Created"))).toBe(`Created on:   2026-11-30 05:00:00 +0000 UTC
Labels:       <none>
Annotations:  <none>
Spec:
  PodSelector:     <none> (Allowing the specific traffic to all pods in this namespace)
  Allowing ingress traffic:
    To Port: 80/TCP
    To Port Range: 100-200/TCP
    To Port: <nil>/SCTP
    From:
      PodSelector: a=b
    From:
      IPBlock:
        CIDR: 10.0.0.0/8
        Except: 10.1.0.0/16
    ----------
    To Port: <${"any"}> (traffic allowed to all ports)
    From: <${"any"}> (traffic not restricted by source)
  Not affecting egress traffic
  Policy Types: Ingress
`);
});

test("kinds without a layout of their own have all fields", () => {
  const widget = {
    apiVersion: "example.com/v1",
    kind: "Widget",
    metadata: metadata("w", { labels: { fooBar: "x" }, managedFields: [{}] }),
    spec: { logLevel: "debug", podIPs: ["a"], list: [{ name: "a", none: null }], "a.b/c": 1.5, empty: {} },
  } as unknown as ApiObject;
  expect(aligned(genericDescriber.lines(widget, context))).toBe(`Name:         w
Namespace:    desc
Labels:       fooBar=x
Annotations:  <none>
API Version:  example.com/v1
Kind:         Widget
Metadata:
  Creation Timestamp:  2026-11-30T05:00:00Z
  Resource Version:    1
  UID:                 uid-w
Spec:
  a.b/c:  1.5
  Empty:
  List:
    Name:     a
    None:     <nil>
  Log Level:  debug
  Pod I Ps:
    a
`);
});

test.each([
  ["restartCount", "Restart Count"],
  ["nonResourceURLs", "Non Resource URLs"],
  ["clusterIPs", "Cluster I Ps"],
  ["apiUrl", "API URL"],
  ["HTTPServer", "HTTPServer"],
  ["aHTTPServer", "A HTTPServer"],
  ["kebab-case", "Kebab - Case"],
  ["éClair", "É Clair"],
  ["snake_case", "snake_case"],
  ["IPv4", "IPv4"],
])("the title of %s", (name, title) => expect(titleOf(name)).toBe(title));

test("events have their last occurrence and their number", () => {
  const event = (more: object) =>
    ({
      type: "Normal",
      reason: "R",
      message: " m\n",
      metadata: metadata("e"),
      source: { component: "kubelet" },
      ...more,
    }) as unknown as CoreV1Event;
  const events = [
    event({ count: 1, firstTimestamp: made, lastTimestamp: made }),
    event({ count: 3, firstTimestamp: "2026-11-30T01:00:00Z", lastTimestamp: "2026-11-30T02:00:00Z" }),
    event({
      eventTime: "2026-11-30T04:00:00Z",
      series: { count: 5, lastObservedTime: made },
      source: {},
      reportingComponent: "ctl",
    }),
  ];
  expect(aligned(eventLines(events, now))).toBe(`Events:
  Type    Reason  Age                 From     Message
  ----    ------  ----                ----     -------
  Normal  R       60m (x5 over 120m)  ctl      m
  Normal  R       4h (x3 over 5h)     kubelet  m
  Normal  R       60m                 kubelet  m
`);
  expect(aligned(eventLines([], now))).toBe("Events:  <none>\n");
});

test("annotations that are long or have several lines are below their keys", () => {
  expect(
    annotationLines({
      a: "b",
      multi: "l1\nl2\n",
      long: "x".repeat(150),
      "kubectl.kubernetes.io/last-applied-configuration": "{}",
    }),
  ).toEqual(["Annotations:\ta: b", "\tlong:", `\t  ${"x".repeat(138)}...`, "\tmulti:", "\t  l1", "\t  l2"]);
});

test("times of RFC 1123", () => {
  expect(timeText("2026-11-30T01:02:03.123000Z")).toBe("Mon, 30 Nov 2026 01:02:03 +0000");
  expect(timeText(undefined)).toBe("Mon, 01 Jan 0001 00:00:00 +0000");
});
