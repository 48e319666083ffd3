package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/tenancy"
)

// passwd runs the command with an input that is no terminal.
func passwd(t *testing.T, input string, args ...string) (output string, err error) {
	t.Helper()
	var out bytes.Buffer
	cmd := newPasswdCommand()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	cmd.SetIn(strings.NewReader(input))
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	err = cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestPrintedCredentialProvesThePassword(t *testing.T) {
	for _, c := range []struct {
		input, password string
		args            []string
		form            tenancy.Form
	}{
		{"correct horse\n", "correct horse", nil, tenancy.SCRAMSHA256},
		{" spaces \r\nsecond line", " spaces ", []string{"--form", "argon2id"}, tenancy.Argon2id},
		{"no end of line", "no end of line", []string{"--form", "SCRAM-SHA-512"}, tenancy.SCRAMSHA512},
	} {
		output, err := passwd(t, c.input, c.args...)
		if err != nil {
			t.Fatal(err)
		}
		credential, err := tenancy.ParseCredential(strings.TrimSuffix(output, "\n"))
		if err != nil || credential.Form() != c.form || !credential.Verify([]byte(c.password)) {
			t.Errorf("%q gives %q (%v)", c.input, output, err)
		}
	}
}

func TestPrintedUserBelongsIntoAConfiguration(t *testing.T) {
	for _, name := range []string{"ann", `a "b", {c} # \ d`, "*", "5", "ä"} {
		output, err := passwd(t, "secret", name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := config.Parse("passwd.yaml", []byte("users:\n  "+output))
		if err != nil || len(c.Users) != 1 || c.Users[0].Name != name || !c.Users[0].Credential.Verify([]byte("secret")) {
			t.Errorf("%s: %q gives %+v, %v", name, output, c.Users, err)
		}
	}
}

func TestPasswordThatCannotBeKeptIsRefused(t *testing.T) {
	for _, c := range []struct {
		input string
		args  []string
		want  string
	}{
		{"", nil, "the password is empty"},
		{"\n", nil, "the password is empty"},
		{"x", []string{"--form", "md5"}, `"md5" is not one of`},
		{"x", []string{"a@b"}, "no @ or : in it"},
		{"x", []string{"a", "b"}, "accepts at most 1 arg(s)"},
	} {
		if output, err := passwd(t, c.input, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q %v: %q, %v", c.input, c.args, output, err)
		}
	}
}
