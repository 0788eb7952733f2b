// Who may do what, who is who, and where the server is: roles, certificates, tokens, kubeconfig.
import { newRequest } from "../certificate-request.ts";
import type { Scenario } from "../scenario.ts";

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
  "asks who it is and what it may do": async ({ prints }) => {
    await prints("auth whoami", /Username +kubernetes-admin\nGroups +\[system:masters system:authenticated\]/);
    await prints(
      "auth whoami --as=me --as-group=us --as-uid=7",
      /Username +me\nUID +7\nGroups +\[us system:authenticated\]/,
    );
    await prints("auth can-i create pods", "yes");
    await prints("auth can-i get /metrics", "yes");
    await prints("auth can-i --list", /\*\.\* +\[\] +\[\] +\[\*\]/);
  },
  "makes roles and binds them": async ({ prints, namespace }) => {
    await prints("create role r --verb=get,list --resource=pods", "role.rbac.authorization.k8s.io/r created");
    await prints("create rolebinding rb --role=r --serviceaccount=default:default", /rolebinding.*\/rb created/);
    await prints(
      "create clusterrole cr --verb=get --resource=nodes",
      "clusterrole.rbac.authorization.k8s.io/cr created",
    );
    await prints("create clusterrolebinding crb --clusterrole=cr --user=me", /clusterrolebinding.*\/crb created/);
    await prints("describe clusterrole cr", /nodes +\[\] +\[\] +\[get\]/);
    await prints("get rolebinding rb -o wide", /rb +Role\/r .*default\/default/);
    await prints(
      "auth reconcile -f -",
      /role.rbac.authorization.k8s.io\/reader reconciled[\s\S]*rolebinding.*\/reader reconciled/,
      roles(namespace),
    );
  },
  "gives an account a token, and goes by it": async ({ prints, namespace }) => {
    await prints("create serviceaccount robot", "serviceaccount/robot created");
    const token = await prints("create token robot --duration=20m", /^[\w-]+\.[\w-]+\.[\w-]+\s*$/);
    await prints(`config set-credentials robot --token=${token.trim()}`, 'User "robot" set.');
    await prints("config set-context robot --cluster=orrery-test --user=robot", 'Context "robot" created.');
    const [name, groups] = [`system:serviceaccount:${namespace}:robot`, `system:serviceaccounts:${namespace}`];
    await prints(
      "auth whoami --context=robot",
      new RegExp(`Username +${name}\nUID +\\S+\nGroups +\\[system:serviceaccounts ${groups} system:authenticated\\]`),
    );
  },
  "decides on certificates": async ({ prints }) => {
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
      await prints("create -f -", `certificatesigningrequest.certificates.k8s.io/${name} created`, JSON.stringify(csr));
      const done = decision === "approve" ? "approved" : "denied";
      await prints(`certificate ${decision} ${name}`, `certificatesigningrequest.certificates.k8s.io/${name} ${done}`);
    }
    await prints("get csr", /no +\S+ +example.com\/own +kubernetes-admin +<none> +Denied\nyes .*Approved/);
  },
  "keeps its own configuration": async ({ prints, fails }) => {
    await prints("config current-context", "orrery-test");
    await prints("config get-contexts", /\* +orrery-test +\S+ +\S+/);
    await prints("config get-clusters", /^NAME\n\S+/);
    await prints("config get-users", /^NAME\n\S+/);
    await prints("config view", /certificate-authority-data: DATA\+OMITTED/);
    await prints("config set-cluster other --server=https://127.0.0.1:1", 'Cluster "other" set.');
    await prints("config set-credentials me --token=t", 'User "me" set.');
    await prints("config set-context spare --cluster=other --user=me --namespace=n", 'Context "spare" created.');
    await prints("config set contexts.spare.namespace m", 'Property "contexts.spare.namespace" set.');
    await prints("config unset contexts.spare.namespace", 'Property "contexts.spare.namespace" unset.');
    await prints("config rename-context spare extra", 'Context "spare" renamed to "extra".');
    await prints("config use-context extra", 'Switched to context "extra".');
    await fails("get ns --request-timeout=2s", /refused|timed out|unable to connect|Unable to connect/i);
    await prints("config use-context orrery-test", 'Switched to context "orrery-test".');
    await prints("config delete-context extra", /deleted context extra/);
    await prints("config delete-user me", /deleted user me/);
    await prints("config delete-cluster other", /deleted cluster other/);
  },
  "keeps its user's preferences": async ({ prints, minor, file }) => {
    if (minor < 36) return;
    const kubercFile = file("kuberc", "");
    const set = "kuberc set --section aliases --name getn --command get --prependarg nodes";
    await prints(`${set} --kuberc ${kubercFile}`, /^Updated /);
    await prints(`kuberc view --kuberc ${kubercFile}`, /name: getn/);
  },
};
