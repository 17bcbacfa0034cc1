// Package kubernetes tests observability/kubernetes. One test puts it on the cluster that KUBECONFIG names, whose nodes have
// the images, and takes it away again:
//
//	go test -tags e2e -count=1 -timeout 20m -v ./observability/tests/kubernetes
//
// It uses the engines of engines/. KUBERNETES_ENGINES=charts has it use the official charts. With KUBERNETES_KEEP=1 it takes
// what is there already, and leaves it there. The other tests need no cluster.
package kubernetes
