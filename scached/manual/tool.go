package manual

import (
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Tool writes the manual page of a tree of commands.
func Tool(w io.Writer, date time.Time, root *cobra.Command) error {
	name := root.Name()
	p := begin(w, date, name, "1", root.Short)
	p.section("SYNOPSIS")
	p.macro("Nm")
	p.macro("Ar", "command")
	p.macro("Op", "Ar", "argument ...")
	p.section("DESCRIPTION")
	p.text(root.Long)
	for _, group := range root.Groups() {
		p.macro("Ss", strings.TrimSuffix(group.Title, ":"))
		p.commands(root, group.ID)
	}
	p.macro("Ss", "Other commands")
	p.commands(root, "")
	p.section("ENVIRONMENT")
	p.list(func() {
		p.macro("It", "Ev", "MAIL_CONFIG")
		p.text("Postfix's configuration directory, where a command is not told another one.")
	})
	p.section("FILES")
	p.list(func() {
		p.macro("It", "Pa", "scached.installed")
		p.text(`In daemon_directory, beside scached(8): what "scachectl install" has put there, and for which
Postfix instances.`)
		p.macro("It", "Pa", "/etc/default/scached-exporter")
		p.text(`Flags of "scachectl exporter", where systemd starts it as scached-exporter.service, as in`)
		p.macro("Dl", `ARGS="--web.listen-address=:9797"`)
	})
	p.section("EXIT STATUS")
	p.list(func() {
		for _, status := range [][2]string{
			{"0", "The command has done what it was asked for, and found nothing wrong."},
			{"1", "It could not, or it found something wrong."},
			{"2", "There is no such command, flag or argument."},
			{"130", "It was interrupted."},
		} {
			p.macro("It", "Sy", status[0])
			p.text(status[1])
		}
	})
	p.section("DIAGNOSTICS")
	p.text(`What is wrong goes to the standard error, after the name of the command. Rights that it
needs and does not have, those of root or of mail_owner, are missed before anything is changed.`)
	p.section("CONFIGURATION PARAMETERS")
	p.text(`Those of the daemon are in scached.cf(5). Of Postfix's own the commands read config_directory,
daemon_directory, queue_directory, mail_owner and, for "scachectl doctor", those of smtp(8).`)
	p.section("SEE ALSO")
	p.seeAlso("postconf 1", "postfix 1", "master 5", "scached.cf 5", "scache 8", "scached 8")
	p.section("BUGS")
	p.text(`A question to a daemon that has ended makes master(8) start another one, which knows nothing of what
was before: the time of its start is in the answer.`)
	p.text(`Labels of a version of Postfix that came later may hold what is not known yet. They are shown as they are.`)
	return p.err
}

// commands writes those of a group, and what is below them.
func (p *page) commands(parent *cobra.Command, group string) {
	p.list(func() { p.items(parent, group) })
}

func (p *page) items(parent *cobra.Command, group string) {
	for _, c := range parent.Commands() {
		if c.GroupID != group || !c.IsAvailableCommand() && c.Name() != "help" {
			continue
		}
		if c.HasAvailableSubCommands() && c.Name() != "completion" {
			p.items(c, "")
			continue
		}
		p.command(c)
	}
}

func (p *page) command(c *cobra.Command) {
	words := append([]string{"It", "Nm", c.Root().Name()}, "Cm")
	path := strings.Fields(strings.TrimPrefix(c.CommandPath(), c.Root().Name()))
	words = append(words, path...)
	if args := strings.Fields(c.Use)[1:]; len(args) > 0 {
		words = append(append(words, "Ar"), args...)
	}
	p.macro(words[0], words[1:]...)
	p.text(phrase(c.Short))
	if c.Long != "" && c.Name() != "completion" {
		p.macro("Pp")
		p.text(c.Long)
	}
	if c.LocalFlags().HasAvailableFlags() {
		p.list(func() { c.LocalFlags().VisitAll(p.flag) })
	}
}

func (p *page) flag(f *pflag.Flag) {
	if f.Hidden || f.Name == "help" {
		return
	}
	kind, usage := pflag.UnquoteUsage(f)
	if kind == "" {
		p.macro("It", "Fl", "-"+f.Name)
	} else {
		p.macro("It", "Fl", "-"+f.Name, "Ar", kind)
	}
	p.text(phrase(usage))
	if shown := f.DefValue; shown != "" && shown != "false" && shown != "0" && !strings.Contains(shown, "/") {
		p.text("The default is " + strings.Trim(shown, "[]") + ".")
	}
}

func (p *page) seeAlso(pages ...string) {
	for i, reference := range pages {
		words := strings.Fields(reference)
		if i < len(pages)-1 {
			words = append(words, ",")
		}
		p.macro("Xr", words...)
	}
}
