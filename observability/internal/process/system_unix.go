//go:build unix

package process

import (
	"os"
	"os/exec"
	"syscall"
	"time"
)

// separate keeps Ctrl-C from the process, so that services can flush before the collector stops.
func separate(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func terminate(process *os.Process) error { return process.Signal(syscall.SIGTERM) }

// dieLike ends this process by the signal that ended another, or returns the exit status that shells give in place of it.
func dieLike(state *os.ProcessState) int {
	signal := state.Sys().(syscall.WaitStatus).Signal()
	if signal == syscall.SIGKILL || signal == syscall.SIGTERM {
		_ = syscall.Kill(os.Getpid(), signal) // the return value is for the case that this fails
		time.Sleep(time.Second)
	}
	return 128 + int(signal)
}
