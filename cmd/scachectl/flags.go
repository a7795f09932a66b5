package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/pflag"
)

// A bounded is the value of a flag that must not be smaller than some bound.
type bounded[T int | time.Duration] struct {
	p     *T
	least T
	kind  string
	parse func(string) (T, error)
}

func (b bounded[T]) Type() string { return b.kind }

func (b bounded[T]) String() string {
	if b.p == nil {
		return ""
	}
	return fmt.Sprint(*b.p)
}

func (b bounded[T]) Set(s string) error {
	value, err := b.parse(s)
	if err != nil {
		return err
	}
	if value < b.least {
		return fmt.Errorf("must not be less than %v", b.least)
	}
	*b.p = value
	return nil
}

// intVar defines a flag for a number that is at least least. What p holds is
// the default.
func intVar(f *pflag.FlagSet, p *int, name string, least int, usage string) {
	f.Var(bounded[int]{p, least, "int", strconv.Atoi}, name, usage)
}

// durationVar defines a flag for a time that is at least least. What p holds is
// the default.
func durationVar(f *pflag.FlagSet, p *time.Duration, name string, least time.Duration, usage string) {
	f.Var(bounded[time.Duration]{p, least, "duration", time.ParseDuration}, name, usage)
}

// fileVar and directoryVar define flags for a path, which shells
// can complete.
func fileVar(f *pflag.FlagSet, p *string, name, value, usage string) {
	f.StringVar(p, name, value, usage)
	f.SetAnnotation(name, completeFiles, []string{})
}

func directoryVar(f *pflag.FlagSet, p *string, name, value, usage string) {
	f.StringVar(p, name, value, usage)
	f.SetAnnotation(name, completeDirectories, []string{})
}
