//go:build unix && !linux

package process

import "os/exec"

// tie does nothing, because these systems cannot kill a program when its supervisor is killed.
func tie(*exec.Cmd) {}
