// Program podsecurity prints what Kubernetes' own pod security policies say of pods: for each line of JSON with a
// level, a version and a pod, a line with the aggregated reasons and details, both empty when the pod is allowed.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

type question struct {
	Level, Version string
	Pod            corev1.Pod
}
type verdict struct {
	Reasons string `json:"reasons"`
	Details string `json:"details"`
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	must(err)
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) == 0 {
			return
		}
		var q question
		must(json.Unmarshal(line, &q))
		level, wrong := api.ParseLevel(q.Level)
		must(wrong)
		version, wrong := api.ParseVersion(q.Version)
		must(wrong)
		results := evaluator.EvaluatePod(api.LevelVersion{Level: level, Version: version}, &q.Pod.ObjectMeta, &q.Pod.Spec)
		aggregate := policy.AggregateCheckResults(results)
		must(out.Encode(verdict{aggregate.ForbiddenReason(), aggregate.ForbiddenDetail()}))
		if err != nil {
			return
		}
	}
}
