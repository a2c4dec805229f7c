//go:build !amd64 || purego

package flat

const hasKernels = false

var kernels = goKernels
