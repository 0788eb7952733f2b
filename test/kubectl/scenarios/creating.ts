// Making things: every `create` there is, and the commands that make one thing from another.
import type { Scenario } from "../scenario.ts";

export const creating: Readonly<Record<string, Scenario>> = {
  "creates, one kind after the other": async ({ prints, fails, file }) => {
    await prints("create namespace shop", "namespace/shop created");
    const web = "{.spec.replicas}{.spec.template.spec.containers[0].ports[0].containerPort}";
    await prints(`create deployment web --image=nginx --replicas=2 --port=80 -n shop -o jsonpath=${web}`, "280");
    await prints("create configmap c --from-literal=a=b -n shop", "configmap/c created");
    // No controllers run here, so nobody else makes the account that pods run as.
    await prints("create serviceaccount default -n shop", "serviceaccount/default created");
    await prints("expose deployment web --port=80 -n shop", "service/web exposed");
    await prints(
      "autoscale deployment web --min=1 --max=5 --cpu-percent=70 -n shop",
      /horizontalpodautoscaler.autoscaling\/web autoscaled/,
    );
    await prints("run one --image=busybox -n shop --restart=Never", "pod/one created");
    await prints(
      "get hpa web -n shop -o jsonpath={.spec.maxReplicas}{.spec.metrics[0].resource.target.averageUtilization}",
      "570",
    );
    await prints(
      "get all -n shop",
      /pod\/one[\s\S]*service\/web[\s\S]*deployment.apps\/web[\s\S]*horizontalpodautoscaler/,
    );
    await fails("create deployment web --image=nginx -n shop", /deployments.apps "web" already exists/);
    await fails("create configmap c -n nowhere", /namespaces "nowhere" not found/);
    const raw = file("raw.json", '{"metadata":{"name":"raw"},"data":{"a":"b"}}');
    await prints(
      ["create", "--raw", "/api/v1/namespaces/shop/configmaps", "-f", raw],
      /"name":"raw".*"data":\{"a":"b"\}/,
    );
  },
  "creates secrets of every sort": async ({ prints, file, server }) => {
    await prints("create secret generic s --from-literal=user=me -o jsonpath={.type}{.data.user}", "OpaquebWU=");
    const registry =
      "--docker-server=r.example.com --docker-username=u --docker-password=p --docker-email=e@example.com";
    await prints(`create secret docker-registry reg ${registry}`, "secret/reg created");
    await prints("get secret reg", /reg +kubernetes.io\/dockerconfigjson +1/);
    const [cert, key] = [file("tls.crt", server.admin.cert), file("tls.key", server.admin.key)];
    await prints(["create", "secret", "tls", "t", `--cert=${cert}`, `--key=${key}`], "secret/t created");
    await prints("describe secret t", /Type: +kubernetes.io\/tls[\s\S]*tls\.crt: +\d+ bytes/);
  },
  "creates services of every sort": async ({ prints }) => {
    await prints("create service clusterip s --tcp=80:8080 -o jsonpath={.spec.ports[0].targetPort}", "8080");
    await prints("create service nodeport np --tcp=80 --node-port=30080", "service/np created");
    await prints("create service loadbalancer lb --tcp=443", "service/lb created");
    await prints("create service externalname ext --external-name=example.com", "service/ext created");
    const rows = [
      "ext +ExternalName +<none> +example.com +<none>",
      "lb +LoadBalancer +\\S+ +<pending> +443:\\d+/TCP",
      "np +NodePort +10\\.96\\.\\d+\\.\\d+ +<none> +80:30080/TCP",
    ];
    await prints("get svc", new RegExp(rows.join("[^]*\n")));
  },
  "creates jobs, and jobs from what makes them": async ({ prints }) => {
    const command = "{.spec.template.spec.containers[0].command}";
    await prints(`create job once --image=busybox -o jsonpath=${command} -- echo hello`, '["echo","hello"]');
    await prints(
      ["create", "cronjob", "often", "--image=busybox", "--schedule=*/5 * * * *"],
      "cronjob.batch/often created",
    );
    await prints("get cronjob often", /often +\*\/5 \* \* \* \*/);
    await prints("create job now --from=cronjob/often -o jsonpath={.metadata.ownerReferences[0].name}", "often");
  },
  "creates what limits and directs": async ({ prints }) => {
    await prints(
      "create poddisruptionbudget pdb --selector=app=web --min-available=1",
      "poddisruptionbudget.policy/pdb created",
    );
    await prints("get pdb pdb", /pdb +1 +N\/A/);
    await prints("create quota q --hard=pods=5,requests.cpu=2 -o jsonpath={.spec.hard.pods}", "5");
    await prints(
      "create priorityclass high --value=1000 --description=important",
      "priorityclass.scheduling.k8s.io/high created",
    );
    await prints("get pc high", /high +1000 +false/);
    await prints("create ingress site --rule=example.com/*=web:80,tls=cert", "ingress.networking.k8s.io/site created");
    await prints("describe ingress site", /example.com *\n +\/ +web:80/);
  },
};
