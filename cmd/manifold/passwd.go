package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/tenancy"
)

func newPasswdCommand() *cobra.Command {
	form, token := string(tenancy.SCRAMSHA256), false
	cmd := &cobra.Command{
		Use:   "passwd [NAME]",
		Short: "Make the credential of a password, for users in a configuration",
		Long: `Make the credential of a password, for users in a configuration.

The password comes from the terminal, where it is not shown, or is the first line of the standard input. With a NAME the
line of a user is printed, otherwise the credential only. Nothing is changed.

With --token a random token is made in place of a password, for admin.tokens: it is printed once, and a line with its hash.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, name := range args {
				if _, err := tenancy.ParseUserName(name); err != nil {
					return err
				}
			}
			if token {
				return writeToken(cmd.OutOrStdout(), args)
			}
			password, err := readPassword(cmd.InOrStdin(), cmd.ErrOrStderr())
			if err != nil {
				return failure{exitFailed, err}
			}
			credential, err := tenancy.NewCredential(tenancy.Form(form), password)
			if err != nil {
				return err
			}
			return writeCredential(cmd.OutOrStdout(), args, credential)
		},
	}
	cmd.Flags().StringVar(&form, "form", form, "`FORM` to keep it in: SCRAM-SHA-256, SCRAM-SHA-512 or argon2id")
	cmd.Flags().BoolVar(&token, "token", false, "make a random token for the admin API")
	return cmd
}

// writeToken writes a new token, and the line by which the admin API knows it under a name.
func writeToken(w io.Writer, name []string) error {
	if len(name) == 0 {
		return errors.New("a token needs a name: manifold passwd --token NAME")
	}
	token := rand.Text() + rand.Text()
	_, err := fmt.Fprintf(w, "%s\n- {name: %q, hash: %q}\n", token, name[0], config.HashToken(token))
	return err
}

// writeCredential writes the line of the user called so, or what names nobody.
func writeCredential(w io.Writer, name []string, c tenancy.Credential) error {
	text, err := c.MarshalText()
	if err != nil {
		return err
	}
	line := string(text)
	if len(name) > 0 {
		line = fmt.Sprintf("- {name: %q, credential: %q}", name[0], line)
	}
	_, err = fmt.Fprintln(w, line)
	return err
}

// readPassword asks for a password twice at a terminal, and otherwise takes the first line.
func readPassword(in io.Reader, prompts io.Writer) (string, error) {
	file, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		line, err := bufio.NewReader(in).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	var typed [2]string
	for i, prompt := range []string{"Password: ", "Again: "} {
		fmt.Fprint(prompts, prompt)
		text, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(prompts)
		if err != nil {
			return "", fmt.Errorf("password: %w", err)
		}
		typed[i] = string(text)
	}
	if typed[0] != typed[1] {
		return "", errors.New("the two passwords differ")
	}
	return typed[0], nil
}
