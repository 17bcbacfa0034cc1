package process

import (
	"os/exec"
	"syscall"
)

// tie makes the system kill the program if its supervisor is killed.
func tie(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
