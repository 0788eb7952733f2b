// Command clientgo does what most Go programs of a cluster do, with protobuf bodies: it elects a leader by a Lease, records
// events of both kinds, and watches from a revision that is no longer there. It prints one line per check and exits 1
// when one of them fails.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

var failed bool

func check(what string, err error) {
	if err != nil {
		failed = true
		fmt.Printf("FAILED %s: %v\n", what, err)
		return
	}
	fmt.Printf("passed %s\n", what)
}

// elect becomes the leader of a Lease and gives it back.
func elect(ctx context.Context, client kubernetes.Interface, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	led := false
	lock := &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Name: "clientgo", Namespace: namespace},
		Client:     client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: "clientgo"},
	}
	leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
		Lock: lock, ReleaseOnCancel: true,
		LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 500 * time.Millisecond,
		Callbacks: leaderelection.LeaderCallbacks{
			// Leading for longer than a lease lasts shows that it is renewed.
			OnStartedLeading: func(ctx context.Context) {
				select {
				case <-time.After(4 * time.Second):
					led = true
				case <-ctx.Done():
				}
				cancel()
			},
			OnStoppedLeading: func() {},
		},
	})
	if !led {
		return fmt.Errorf("did not stay the leader for four seconds")
	}
	return nil
}

// events creates one event of each API group and reads its microseconds back.
func events(ctx context.Context, client kubernetes.Interface, namespace string) error {
	at := metav1.NewMicroTime(time.Unix(1700000000, 123456000))
	about := corev1.ObjectReference{Kind: "Namespace", Name: namespace, Namespace: namespace, APIVersion: "v1"}
	made, err := client.EventsV1().Events(namespace).Create(ctx, &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "clientgo-"}, EventTime: at, ReportingController: "example.com/clientgo",
		ReportingInstance: "one", Action: "Testing", Reason: "Test", Regarding: about, Type: "Normal",
		Series: &eventsv1.EventSeries{Count: 2, LastObservedTime: at},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if !made.EventTime.Equal(&at) {
		return fmt.Errorf("eventTime came back as %v", made.EventTime)
	}
	_, err = client.CoreV1().Events(namespace).Create(ctx, &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "clientgo-"}, EventTime: at, ReportingController: "example.com/clientgo",
		ReportingInstance: "one", Action: "Testing", Reason: "Test", InvolvedObject: about, Type: "Normal",
	}, metav1.CreateOptions{})
	return err
}

// expired watches from the first revision there ever was.
func expired(ctx context.Context, client kubernetes.Interface, namespace string) error {
	stream, err := client.CoreV1().ConfigMaps(namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: "1"})
	if err != nil {
		if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
			return nil
		}
		return err
	}
	defer stream.Stop()
	for event := range stream.ResultChan() {
		if event.Type != watch.Error {
			return nil // History still reaches back: nothing to see here.
		}
		if err := apierrors.FromObject(event.Object); !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
			return fmt.Errorf("the watch ended with %v", err)
		}
		return nil
	}
	return fmt.Errorf("the watch ended without an error")
}

// refused watches in ways that cannot be: each is refused with its own reason before the stream begins.
func refused(ctx context.Context, client kubernetes.Interface, namespace string) error {
	yes := true
	for _, row := range []struct {
		options metav1.ListOptions
		is      func(error) bool
	}{
		{metav1.ListOptions{FieldSelector: "spec.nothing=1"}, apierrors.IsBadRequest},
		{metav1.ListOptions{LabelSelector: "a in b"}, apierrors.IsBadRequest},
		{metav1.ListOptions{ResourceVersionMatch: metav1.ResourceVersionMatchExact, ResourceVersion: "1"}, apierrors.IsInvalid},
		{metav1.ListOptions{SendInitialEvents: &yes}, apierrors.IsInvalid},
	} {
		stream, err := client.CoreV1().ConfigMaps(namespace).Watch(ctx, row.options)
		if err == nil {
			stream.Stop()
			return fmt.Errorf("%+v was not refused", row.options)
		}
		if !row.is(err) {
			return fmt.Errorf("%+v was refused with %v", row.options, err)
		}
	}
	return nil
}

// malformed sends a timeout that is no duration.
func malformed(ctx context.Context, client *kubernetes.Clientset) error {
	code := 0
	client.CoreV1().RESTClient().Get().AbsPath("/api/v1/namespaces").Param("timeout", "abc").Do(ctx).StatusCode(&code)
	if code != http.StatusBadRequest {
		return fmt.Errorf("timeout=abc was answered with %d", code)
	}
	return nil
}

// informed fills a shared informer of pods and nodes.
func informed(ctx context.Context, client kubernetes.Interface) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	factory := informers.NewSharedInformerFactory(client, 0)
	pods, nodes := factory.Core().V1().Pods().Informer(), factory.Core().V1().Nodes().Informer()
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), pods.HasSynced, nodes.HasSynced) {
		return fmt.Errorf("the informers did not fill in ten seconds")
	}
	return nil
}

func main() {
	kubeconfig := flag.String("kubeconfig", os.Getenv("KUBECONFIG"), "the cluster's kubeconfig")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	config.ContentConfig = rest.ContentConfig{
		ContentType:        runtime.ContentTypeProtobuf,
		AcceptContentTypes: runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON,
	}
	client := kubernetes.NewForConfigOrDie(config)
	ctx := context.Background()
	namespace, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "clientgo-"}}, metav1.CreateOptions{})
	check("a namespace", err)
	if err != nil {
		os.Exit(1)
	}
	check("leader election by Lease", elect(ctx, client, namespace.Name))
	check("events in microseconds", events(ctx, client, namespace.Name))
	check("a watch that came too late", expired(ctx, client, namespace.Name))
	check("watches that cannot be", refused(ctx, client, namespace.Name))
	check("a malformed timeout", malformed(ctx, client))
	check("informers", informed(ctx, client))
	check("the namespace goes", client.CoreV1().Namespaces().Delete(ctx, namespace.Name, metav1.DeleteOptions{}))
	if failed {
		os.Exit(1)
	}
}
