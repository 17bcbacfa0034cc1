//go:build unix

package runner

import (
	"os/exec"
	"syscall"
)

// separate keeps Ctrl-C from the process, so that services can flush before the collector stops.
func separate(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
