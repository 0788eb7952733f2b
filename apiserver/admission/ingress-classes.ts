// Kubernetes' admission plugin DefaultIngressClass: who carries out an ingress that does not say so itself.
import type { Ingress } from "../../api/generated/types.ts";
import { ingressClasses } from "../../api/networking/ingressclasses.ts";
import type { ApiObject } from "../../api/meta.ts";
import type { AdmissionPlugin } from "../registry/admission.ts";
import { markedClass, newest } from "./classes.ts";

const usualClass = markedClass(ingressClasses, {
  isMarked: ({ metadata }) => metadata.annotations?.["ingressclass.kubernetes.io/is-default-class"] === "true",
  precedes: newest,
});

/** The older way to name a class still counts as naming one. */
export const defaultIngressClass: AdmissionPlugin = {
  name: "DefaultIngressClass",
  operations: ["CREATE"],
  handles: (r) => r.group === "networking.k8s.io" && r.plural === "ingresses",
  async mutate(object, { present }) {
    const ingress = object as Ingress;
    if (ingress.spec?.ingressClassName !== undefined) return object;
    if (ingress.metadata.annotations?.["kubernetes.io/ingress.class"] !== undefined) return object;
    const usual = usualClass(await present());
    if (!usual) return object;
    return { ...ingress, spec: { ...ingress.spec, ingressClassName: usual.metadata.name } } as ApiObject;
  },
};
