//go:build !unix

package main

import (
	"os"
	"os/exec"
)

func separate(*exec.Cmd) {}

// ask fails on Windows, where a program cannot be asked to end.
func ask(process *os.Process) error { return process.Signal(os.Interrupt) }

func kill(process *os.Process) error { return process.Kill() }
