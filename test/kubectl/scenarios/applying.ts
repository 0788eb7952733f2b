// Applying what is in a file, on this side and on the server's; and what kubectl remembers of it.
import type { Scenario } from "../scenario.ts";

const podYaml = (image: string, extra = ""): string => `
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
spec:
  containers:
  - name: c
    image: ${image}
    ports: [{containerPort: 80}]${extra}
`;
const config = (value: string, more = ""): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: owned}\ndata:\n  a: "${value}"\n${more}`;

export const applying: Readonly<Record<string, Scenario>> = {
  "applies, and changes only what was changed": async ({ prints }) => {
    await prints("apply -f -", "pod/web created", podYaml("nginx:1"));
    await prints("apply -f -", "pod/web unchanged", podYaml("nginx:1"));
    await prints("label pod web tier=front", "pod/web labeled");
    await prints("apply -f -", "pod/web configured", podYaml("nginx:2"));
    await prints("get pod web -o jsonpath={.spec.containers[0].image}{.metadata.labels.tier}", "nginx:2front");
    await prints("apply -f - --dry-run=server", "pod/web configured (server dry run)", podYaml("nginx:3"));
    await prints("apply -f - --dry-run=client", "pod/web configured (dry run)", podYaml("nginx:3"));
    await prints("get pod web -o custom-columns=N:.metadata.name,I:.spec.containers[0].image", /web +nginx:2/);
    await prints("apply -f - --prune -l app=web --prune-allowlist=core/v1/ConfigMap", /pod\/web/, podYaml("nginx:2"));
    await prints("delete pod web --now", /pod "web"/);
  },
  "sees what applying would change": async ({ prints, run, file }) => {
    await prints("apply -f -", "configmap/owned created", config("1"));
    const path = file("owned.yaml", config("2"));
    await prints(["diff", "-f", file("same.yaml", config("1"))], "");
    const { code, out } = await run(["diff", "-f", path]);
    if (code !== 1 || !/^-\s+a: "1"$/m.test(out) || !/^\+\s+a: "2"$/m.test(out))
      throw new Error(`kubectl diff: ${code}\n${out}`);
  },
  "remembers what was applied last": async ({ prints, file }) => {
    await prints("apply -f -", "configmap/owned created", config("old"));
    await prints("apply edit-last-applied configmap owned", "configmap/owned edited");
    await prints("apply view-last-applied configmap/owned -o json", /"a": "new"/);
    await prints(["apply", "set-last-applied", "-f", file("owned.yaml", config("3"))], "configmap/owned configured");
  },
  "applies on the server's side, with owners and conflicts": async ({ prints, fails }) => {
    const asOne = "apply --server-side --field-manager=one -f -";
    const asTwo = "apply --server-side --field-manager=two -f -";
    await prints(asOne, "configmap/owned serverside-applied", config("1", '  b: "1"\n'));
    await fails(asTwo, /Apply failed with 1 conflict: conflict with "one": \.data\.a/, config("2"));
    await prints(`${asTwo} --force-conflicts`, "configmap/owned serverside-applied", config("2"));
    const rest = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: owned}\ndata: {c: "3"}\n';
    await prints(asOne, "configmap/owned serverside-applied", rest);
    await prints("get configmap owned -o jsonpath={.data}", '{"a":"2","c":"3"}');
    await prints("get configmap owned --show-managed-fields -o yaml", /manager: two\n {4}operation: Apply/);
  },
  "says what is wrong with a manifest": async ({ prints, fails }) => {
    await fails("apply -f -", /unknown field "spec\.containers\[0\]\.imagee"/, podYaml("x", "\n    imagee: y"));
    await fails("apply -f -", /strict decoding error: unknown field "spec.bogus"/, `${podYaml("x")}  bogus: 1\n`);
    const upper = podYaml("x").replace("name: web\n", "name: UPPER\n");
    await fails("apply -f -", /The Pod "UPPER" is invalid: metadata.name: Invalid value: "UPPER"/, upper);
    const empty = podYaml("x").replace(/ {2}containers:[\s\S]*/, "  containers: []\n");
    await fails("apply -f -", /spec\.containers: Required value/, empty);
    const toaster = "apiVersion: v1\nkind: Toaster\nmetadata: {name: x}\n";
    await fails("apply -f -", /no matches for kind "Toaster" in version "v1"/, toaster);
    await prints("apply -f - --validate=false", "pod/web created", podYaml("x", "\n    imagee: y"));
    await prints("apply -f - --validate=warn", /pod\/web (unchanged|configured)/, podYaml("x", "\n    imagee: y"));
  },
};
