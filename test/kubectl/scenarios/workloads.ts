// Every kind of workload with its controller: rollouts of stateful and daemon sets, jobs to their end. The cluster is whole;
// only the engine beneath the kubelet is simulated.
import type { Scenario } from "../scenario.ts";

const live = "trap 'exit 0' TERM; while :; do sleep 1; done";
/** A workload of one live container; its change cause is the version. */
const workload = (kind: string, name: string, version: string, more = ""): string => `
apiVersion: apps/v1
kind: ${kind}
metadata: {name: ${name}, annotations: {kubernetes.io/change-cause: "${version}"}}
spec:
  ${more}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: c, image: "sim/shell:1", command: [sh, -c, "${live}"], env: [{name: VERSION, value: "${version}"}]}
`;
const template = (kind: string, name: string): string =>
  `get ${kind} ${name} -o jsonpath={.spec.template.spec.containers[0].env[0].value}`;

export const workloads: Readonly<Record<string, Scenario>> = {
  "rolls out a stateful set, and back": async ({ prints, fails }) => {
    const replicas = "replicas: 2";
    await prints("apply -f -", "statefulset.apps/db created", workload("StatefulSet", "db", "one", replicas));
    await prints("rollout status sts/db --timeout=60s", /roll out complete: 2 new pods/);
    await prints("get pods -l app=db -o name", "pod/db-0\npod/db-1");
    await prints("apply -f -", "statefulset.apps/db configured", workload("StatefulSet", "db", "two", replicas));
    await prints("rollout status sts/db --timeout=60s", /roll out complete: 2 new pods/);
    await prints("rollout history sts/db", /REVISION +CHANGE-CAUSE\n1 +one\n2 +two/);
    await prints("rollout history sts/db --revision=2", /VERSION:\s+two/);
    await prints("rollout undo sts/db", "statefulset.apps/db rolled back");
    await prints("rollout status sts/db --timeout=60s", /roll out complete/);
    await prints(template("sts", "db"), "one");
    await prints("rollout restart sts/db", "statefulset.apps/db restarted");
    await prints("rollout status sts/db --timeout=60s", /roll out complete/);
    await prints("scale sts/db --replicas=1 --timeout=60s", "statefulset.apps/db scaled");
    await prints("wait pod/db-1 --for=delete --timeout=60s", "");
    await fails("rollout pause sts/db", /pausing is not supported/);
    await prints("delete sts db --cascade=orphan", /deleted/);
    await prints("get pods -l app=db -o name", "pod/db-0");
  },

  "rolls out a daemon set, and back": async ({ prints }) => {
    await prints("apply -f -", "daemonset.apps/agent created", workload("DaemonSet", "agent", "one"));
    await prints("rollout status ds/agent --timeout=60s", /successfully rolled out/);
    await prints("apply -f -", "daemonset.apps/agent configured", workload("DaemonSet", "agent", "two"));
    await prints("rollout status ds/agent --timeout=60s", /successfully rolled out/);
    await prints("rollout history ds/agent", /REVISION +CHANGE-CAUSE\n1 +one\n2 +two/);
    await prints("rollout undo ds/agent --to-revision=1", "daemonset.apps/agent rolled back");
    await prints("rollout status ds/agent --timeout=60s", /successfully rolled out/);
    await prints(template("ds", "agent"), "one");
  },

  "runs jobs to their end": async ({ prints, fails, eventuallyPrints }) => {
    await prints("apply -f -", "job.batch/parts created", parts);
    await prints("wait job/parts --for=condition=complete --timeout=60s", "job.batch/parts condition met");
    await prints("get job parts -o jsonpath={.status.completedIndexes}", "0-2");
    await eventuallyPrints("logs job/parts", /^part \d\n/);
    await prints("describe job parts", /Pods Statuses: +0 Active \(0 Ready\) \/ 3 Succeeded \/ 0 Failed/);
    await prints(
      ["create", "cronjob", "often", "--image=sim/shell:1", "--schedule=0 0 1 1 *", "--", "true"],
      /created/,
    );
    await prints("create job now --from=cronjob/often", "job.batch/now created");
    await prints("get job now -o jsonpath={.metadata.ownerReferences[0].name}", "often");
    await fails("logs cronjob/often", /selector for \*v1.CronJob not implemented/);
    await prints('patch job now -p {"spec":{"suspend":true}}', /patched/);
    await prints("wait job/now --for=condition=suspended --timeout=60s", "job.batch/now condition met");
    await prints("delete cronjob often --cascade=foreground", /deleted/);
    await fails("get job now", /not found/);
  },
};

const parts = `
apiVersion: batch/v1
kind: Job
metadata: {name: parts}
spec:
  completions: 3
  parallelism: 3
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: "sim/shell:1", command: [sh, -c, "echo part $JOB_COMPLETION_INDEX"]}]
`;
