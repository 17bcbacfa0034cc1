//go:build e2e

package kubernetes

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// crash kills the process of one pod on its node, which must be this machine or a container on it, and waits until the
// pod is ready again. The process has no time to send what it holds.
func crash(t *testing.T, service string) {
	t.Helper()
	victim := pods(t, service)[0]
	if err := killProcess(victim.Metadata.UID); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the next process", func() error {
		for _, p := range pods(t, service) {
			if p.Metadata.UID == victim.Metadata.UID && p.restarts() > victim.restarts() && p.ready() {
				return nil
			}
		}
		return fmt.Errorf("%s has not started again", victim.Metadata.Name)
	})
}

// killProcess kills the processes in the cgroup of a pod, other than the one that holds the pod's network.
func killProcess(uid string) error {
	groups, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		return err
	}
	killed := 0
	for _, file := range groups {
		group, err := os.ReadFile(file)
		command, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		if err != nil || strings.HasPrefix(string(command), "/pause") ||
			!strings.Contains(strings.ReplaceAll(string(group), "_", "-"), uid) {
			continue // also if the process has ended meanwhile
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return err
		}
		process, err := os.FindProcess(pid)
		if err != nil {
			return err
		}
		if err := process.Kill(); err != nil {
			return err
		}
		killed++
	}
	if killed == 0 {
		return fmt.Errorf("no process of the pod %s on this machine", uid)
	}
	return nil
}
