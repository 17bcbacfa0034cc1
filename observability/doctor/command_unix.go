//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// separate gives COMMAND a process group of its own, so that Ctrl-C does not reach it twice, and programs that it starts, as go run
// does, end with it.
func separate(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// ask does what Ctrl-C does on a terminal.
func ask(process *os.Process) error { return syscall.Kill(-process.Pid, syscall.SIGINT) }

func kill(process *os.Process) error { return syscall.Kill(-process.Pid, syscall.SIGKILL) }
