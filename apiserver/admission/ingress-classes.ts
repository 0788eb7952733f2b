// Kubernetes' admission plugin DefaultIngressClass: who carries out an ingress that does not say so itself.
import type { Ingress } from "../../api/generated/types.ts";
import { ingressClasses } from "../../api/networking/ingressclasses.ts";
import type { ApiObject } from "../../api/meta.ts";
import type { Admission } from "./admission.ts";
import { markedClass, newest } from "./classes.ts";

const usualClass = markedClass(ingressClasses, {
  isMarked: ({ metadata }) => metadata.annotations?.["ingressclass.kubernetes.io/is-default-class"] === "true",
  precedes: newest,
});

/** The older way to name a class still counts as naming one. */
export const defaultIngressClass: Admission = {
  name: "DefaultIngressClass",
  applies: (r) => r.group === "networking.k8s.io" && r.plural === "ingresses",
  async admit(object, { old, look }) {
    const ingress = object as Ingress | undefined;
    if (!ingress || old || ingress.spec?.ingressClassName !== undefined) return object;
    if (ingress.metadata.annotations?.["kubernetes.io/ingress.class"] !== undefined) return object;
    const usual = usualClass(await look());
    if (!usual) return object;
    return { ...ingress, spec: { ...ingress.spec, ingressClassName: usual.metadata.name } } as ApiObject;
  },
};
