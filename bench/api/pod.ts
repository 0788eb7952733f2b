// A pod of realistic size: two containers with environment, probes and volumes, about 5 KB of JSON.

const env = (count: number): readonly object[] =>
  Array.from({ length: count }, (_, i) => ({
    name: `SETTING_${i}`,
    value: `value-of-setting-number-${i}-${"x".repeat(60)}`,
  }));
const probe = (path: string): object => ({
  httpGet: { path, port: 8080, scheme: "HTTP" },
  initialDelaySeconds: 5,
  periodSeconds: 10,
});
const container = (name: string): object => ({
  name,
  image: `registry.example.com/team/${name}:v1.2.3`,
  args: ["--listen=:8080", "--log-format=json", "--verbosity=2"],
  ports: [{ name: "http", containerPort: 8080 }],
  env: env(9),
  resources: { requests: { cpu: "100m", memory: "64Mi" }, limits: { cpu: "1", memory: "256Mi" } },
  readinessProbe: probe("/ready"),
  livenessProbe: probe("/healthy"),
  volumeMounts: [{ name: "config", mountPath: "/etc/config", readOnly: true }],
});

/** The draft of a pod with a `name` or `generateName`. */
export const podDraft = (metadata: { readonly name?: string; readonly generateName?: string }): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    ...metadata,
    labels: { app: "web", "app.kubernetes.io/name": "web", "app.kubernetes.io/version": "1.2.3", tier: "front" },
    annotations: { "example.com/checksum": "0123456789abcdef".repeat(4), "example.com/owner": "team@example.com" },
  },
  spec: {
    containers: [container("app"), container("sidecar")],
    volumes: [{ name: "config", configMap: { name: "web-config" } }],
  },
});
