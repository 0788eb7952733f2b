// Who may do what, who is who, and where the server is: roles, certificates, tokens, kubeconfig.
import { newRequest } from "../certificate-request.ts";
import type { Scenario } from "../stage.ts";

const roles = (namespace: string): string => `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: ${namespace}}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: ${namespace}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: User, name: me, apiGroup: rbac.authorization.k8s.io}]
`;

export const identity: Readonly<Record<string, Scenario>> = {
  "asks who it is and what it may do": async ({ says }) => {
    await says("auth whoami", /Username +kubernetes-admin\nGroups +\[system:masters system:authenticated\]/);
    await says(
      "auth whoami --as=me --as-group=us --as-uid=7",
      /Username +me\nUID +7\nGroups +\[us system:authenticated\]/,
    );
    await says("auth can-i create pods", "yes");
    await says("auth can-i get /metrics", "yes");
    await says("auth can-i --list", /\*\.\* +\[\] +\[\] +\[\*\]/);
  },
  "makes roles and binds them": async ({ says, namespace }) => {
    await says("create role r --verb=get,list --resource=pods", "role.rbac.authorization.k8s.io/r created");
    await says("create rolebinding rb --role=r --serviceaccount=default:default", /rolebinding.*\/rb created/);
    await says("create clusterrole cr --verb=get --resource=nodes", "clusterrole.rbac.authorization.k8s.io/cr created");
    await says("create clusterrolebinding crb --clusterrole=cr --user=me", /clusterrolebinding.*\/crb created/);
    await says("describe clusterrole cr", /nodes +\[\] +\[\] +\[get\]/);
    await says("get rolebinding rb -o wide", /rb +Role\/r .*default\/default/);
    await says(
      "auth reconcile -f -",
      /role.rbac.authorization.k8s.io\/reader reconciled[\s\S]*rolebinding.*\/reader reconciled/,
      roles(namespace),
    );
  },
  "gives an account a token, and goes by it": async ({ says, namespace }) => {
    await says("create serviceaccount robot", "serviceaccount/robot created");
    const token = await says("create token robot --duration=20m", /^[\w-]+\.[\w-]+\.[\w-]+\s*$/);
    await says(`config set-credentials robot --token=${token.trim()}`, 'User "robot" set.');
    await says("config set-context robot --cluster=orrery-test --user=robot", 'Context "robot" created.');
    const [name, groups] = [`system:serviceaccount:${namespace}:robot`, `system:serviceaccounts:${namespace}`];
    await says(
      "auth whoami --context=robot",
      new RegExp(`Username +${name}\nUID +\\S+\nGroups +\\[system:serviceaccounts ${groups} system:authenticated\\]`),
    );
  },
  "decides on certificates": async ({ says }) => {
    for (const [name, decision] of [
      ["yes", "approve"],
      ["no", "deny"],
    ] as const) {
      const request = await newRequest(name);
      const csr = {
        apiVersion: "certificates.k8s.io/v1",
        kind: "CertificateSigningRequest",
        metadata: { name },
        spec: { request, signerName: "example.com/own", usages: ["client auth"] },
      };
      await says("create -f -", `certificatesigningrequest.certificates.k8s.io/${name} created`, JSON.stringify(csr));
      const done = decision === "approve" ? "approved" : "denied";
      await says(`certificate ${decision} ${name}`, `certificatesigningrequest.certificates.k8s.io/${name} ${done}`);
    }
    await says("get csr", /no +\S+ +example.com\/own +kubernetes-admin +<none> +Denied\nyes .*Approved/);
  },
  "keeps its own configuration": async ({ says, fails }) => {
    await says("config current-context", "orrery-test");
    await says("config get-contexts", /\* +orrery-test +\S+ +\S+/);
    await says("config get-clusters", /^NAME\n\S+/);
    await says("config get-users", /^NAME\n\S+/);
    await says("config view", /certificate-authority-data: DATA\+OMITTED/);
    await says("config set-cluster other --server=https://127.0.0.1:1", 'Cluster "other" set.');
    await says("config set-credentials me --token=t", 'User "me" set.');
    await says("config set-context spare --cluster=other --user=me --namespace=n", 'Context "spare" created.');
    await says("config set contexts.spare.namespace m", 'Property "contexts.spare.namespace" set.');
    await says("config unset contexts.spare.namespace", 'Property "contexts.spare.namespace" unset.');
    await says("config rename-context spare extra", 'Context "spare" renamed to "extra".');
    await says("config use-context extra", 'Switched to context "extra".');
    await fails("get ns --request-timeout=2s", /refused|timed out|unable to connect|Unable to connect/i);
    await says("config use-context orrery-test", 'Switched to context "orrery-test".');
    await says("config delete-context extra", /deleted context extra/);
    await says("config delete-user me", /deleted user me/);
    await says("config delete-cluster other", /deleted cluster other/);
  },
  "keeps its user's preferences": async ({ says, minor, file }) => {
    if (minor < 36) return;
    const kubercFile = file("kuberc", "");
    const set = "kuberc set --section aliases --name getn --command get --prependarg nodes";
    await says(`${set} --kuberc ${kubercFile}`, /^Updated /);
    await says(`kuberc view --kuberc ${kubercFile}`, /name: getn/);
  },
};
