// Changing what is there: by an editor, by a patch, by one field at a time; and taking it away.
import { expect } from "vitest";
import type { Scenario } from "../scenario.ts";

const node = {
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "n1" },
  status: { capacity: { cpu: "2", pods: "110" }, conditions: [{ type: "Ready", status: "True" }] },
};
const podOn = (name: string, nodeName: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: web}}
spec: {nodeName: ${nodeName}, terminationGracePeriodSeconds: 0, containers: [{name: c, image: x}]}
`;

export const changing: Readonly<Record<string, Scenario>> = {
  "sets one thing of a deployment after the other": async ({ prints }) => {
    await prints("create deployment app --image=old:1", "deployment.apps/app created");
    await prints("set image deployment/app old=new:2", "deployment.apps/app image updated");
    await prints("set env deployment/app A=b", "deployment.apps/app env updated");
    await prints("set env deployment/app --list", /A=b/);
    await prints(
      "set resources deployment app --limits=cpu=200m,memory=64Mi",
      "deployment.apps/app resource requirements updated",
    );
    await prints("set serviceaccount deployment app robot", "deployment.apps/app serviceaccount updated");
    const container = "{.spec.template.spec.containers[0]";
    await prints(
      `get deploy app -o jsonpath=${container}.image}${container}.env[0].value}${container}.resources.limits.cpu}{.spec.template.spec.serviceAccountName}`,
      "new:2b200mrobot",
    );
    await prints("create service clusterip s --tcp=80", "service/s created");
    await prints("set selector service s app=other", "service/s selector updated");
    await prints(
      "create rolebinding rb --clusterrole=view --user=me",
      /rolebinding.rbac.authorization.k8s.io\/rb created/,
    );
    await prints("set subject rolebinding rb --user=you", /rolebinding.rbac.authorization.k8s.io\/rb subjects updated/);
    await prints("get rolebinding rb -o jsonpath={.subjects[*].name}", "me you");
  },
  "edits, scales and deletes": async ({ prints, fails, types }) => {
    await prints("create deployment app --image=old:1", "deployment.apps/app created");
    await prints("scale deployment app --replicas=3", "deployment.apps/app scaled");
    await fails("scale deployment app --replicas=5 --current-replicas=9", /Expected replicas to be 9, was 3/);
    await prints("edit deployment app", "deployment.apps/app edited");
    const fields = "{.spec.replicas}{.spec.template.spec.containers[0].image}{.metadata.generation}";
    await prints(`get deploy app -o jsonpath=${fields}`, "3new:13");
    await prints("annotate deployment app note=old", /^deployment.apps\/app annotated?\n/);
    await types("edit deployment app", "", /deployment\.apps\/app edited/);
    await prints("get deploy app -o jsonpath={.metadata.annotations.note}", "new");
    await prints("describe deploy app", /Replicas: +3 desired[\s\S]*StrategyType: +RollingUpdate/);
    await prints("delete deploy app --cascade=background", /deployment.apps "app" deleted/);
  },
  "patches, replaces, labels": async ({ prints, fails }) => {
    await prints("create configmap c --from-literal=a=1", "configmap/c created");
    await prints(["patch", "configmap", "c", "-p", '{"data":{"b":"2"}}'], "configmap/c patched");
    await prints(["patch", "configmap", "c", "--type=merge", "-p", '{"data":{"a":null}}'], "configmap/c patched");
    const add = '[{"op":"add","path":"/data/d","value":"4"}]';
    await prints(["patch", "configmap", "c", "--type=json", "-p", add], "configmap/c patched");
    await prints(["patch", "configmap", "c", "-p", '{"data":{"b":"2"}}'], "configmap/c patched (no change)");
    await prints("get configmap c -o jsonpath={.data}", '{"b":"2","d":"4"}');
    const replacement = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {e: '5'}\n";
    await prints("replace -f -", "configmap/c replaced", replacement);
    await prints("replace --force -f -", /configmap "c" deleted[\s\S]*configmap\/c replaced/, replacement);
    await prints("get configmap c -o jsonpath={.data}", '{"e":"5"}');
    await prints("label configmap c tier=front", "configmap/c labeled");
    await fails("label configmap c tier=back", /'tier' already has a value \(front\), and --overwrite is false/);
    await prints("label configmap c tier-", "configmap/c unlabeled");
  },
  "cordons a node, waits for a condition, drains": async ({ prints, fails }) => {
    await prints("create -f -", "node/n1 created", JSON.stringify(node));
    await prints("cordon n1", "node/n1 cordoned");
    await prints("get nodes", /n1 +Ready,SchedulingDisabled/);
    await prints("uncordon n1", "node/n1 uncordoned");
    await prints("taint node n1 a=b:NoSchedule", "node/n1 tainted");
    await prints("wait node/n1 --for=condition=Ready --timeout=60s", "node/n1 condition met");
    await prints("describe node n1", /Taints: +a=b:NoSchedule[\s\S]*Capacity:\n +cpu: +2/);
    await prints("taint node n1 a-", "node/n1 untainted");
    await prints("create -f -", "pod/web created", podOn("web", "n1"));
    await fails("drain n1 --timeout=5s", /cannot delete .*web/);
    await prints(
      "drain n1 --force --timeout=60s",
      /evicting pod [\w-]+\/web[\s\S]*pod\/web evicted[\s\S]*node\/n1 drained/,
    );
  },
  "waits until it is gone": async ({ prints, fails, start }) => {
    await prints("create configmap c", "configmap/c created");
    await prints(["patch", "configmap", "c", "-p", '{"metadata":{"finalizers":["example.com/not-yet"]}}'], /patched/);
    await prints("delete configmap c --wait=false", /^configmap "c" deleted( from \S+ namespace)?\n$/);
    await fails("wait configmap/c --for=delete --timeout=1s", /timed out waiting for the condition on configmaps\/c/);
    const deleting = start("delete configmap c");
    await deleting.waitsFor(/configmap "c" deleted/);
    await prints(["patch", "configmap", "c", "-p", '{"metadata":{"finalizers":null}}'], "configmap/c patched");
    expect(await deleting.ended).toBe(0);
    await prints("run p --image=x", "pod/p created");
    await prints("wait pod/p --for=jsonpath={.status.phase}=Pending --timeout=60s", "pod/p condition met");
    await prints("delete pods --all", /^pod "p" deleted( from \S+ namespace)?\n$/);
  },
};
