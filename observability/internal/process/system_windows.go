package process

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// separate keeps Ctrl-C from the process, so that services can flush before the collector stops.
func separate(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// tie gives the program a process group of its own, to which terminate sends Ctrl-Break.
func tie(command *exec.Cmd) { separate(command) }

// terminate sends Ctrl-Break, which Go programs receive as os.Interrupt. Without a console there is no Ctrl-Break.
func terminate(process *os.Process) error {
	if err := windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(process.Pid)); err != nil {
		return errors.Join(err, process.Kill())
	}
	return nil
}

func dieLike(*os.ProcessState) int { return 1 }
