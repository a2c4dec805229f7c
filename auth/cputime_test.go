//go:build unix

package auth_test

import (
	"syscall"
	"testing"
	"time"
)

// cpuTime reports processor time as well as wall time: on a machine that others
// use too, only that can be compared.
func cpuTime(b *testing.B) (done func()) {
	begin := used()
	return func() { b.ReportMetric(float64(used()-begin)/float64(b.N), "cpu-ns/op") }
}

func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
