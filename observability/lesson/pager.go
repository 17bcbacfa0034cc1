package main

import (
	"cmp"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
)

// page calls show with a writer to the user's pager, or with out if there is no pager.
func page(out *os.File, show func(io.Writer) error) error {
	pager := cmp.Or(os.Getenv("PAGER"), "less")
	if git, err := exec.Command("git", "var", "GIT_PAGER").Output(); err == nil {
		pager = strings.TrimSpace(string(git))
	}
	program, _, _ := strings.Cut(pager, " ")
	if _, err := exec.LookPath(program); err != nil {
		return show(out)
	}
	command := exec.Command("sh", "-c", pager)
	command.Stdout, command.Stderr = out, os.Stderr
	command.Env = append(os.Environ(), "LESS="+cmp.Or(os.Getenv("LESS"), "FRX")) // as git does: quit if it fits, keep colors
	in, err := command.StdinPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return show(out)
	}
	return errors.Join(show(in), in.Close(), command.Wait())
}
