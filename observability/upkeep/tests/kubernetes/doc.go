// Package kubernetes tests observability/kubernetes. One test puts it on the cluster that KUBECONFIG names, whose nodes have
// the images, and takes it away again:
//
//	make kubernetes
//
// It deploys the engines of engines/, or with KUBERNETES_ENGINES=charts the official charts. With KUBERNETES_KEEP=1 it uses
// what is deployed already, and leaves it there. With KUBERNETES_TABLE=1 it also kills processes, and rewrites the README's
// table. The other tests need no cluster.
package kubernetes
