package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"scache/compat/diff"
)

// readTally reads what has come of the random transcripts so far.
func (c *diffCommand) readTally() error {
	data, err := os.ReadFile(c.resume)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	tally := new(diff.Tally)
	if err := json.Unmarshal(data, tally); err != nil {
		return fmt.Errorf("%s: %w", c.resume, err)
	}
	if c.options.Seed != 0 && c.options.Seed != tally.Seed {
		return fmt.Errorf("%s is about the seed %d", c.resume, tally.Seed)
	}
	c.options.Seed, c.options.Earlier = tally.Seed, tally
	return nil
}

// writeTally replaces the file as a whole.
func (c *diffCommand) writeTally(tally *diff.Tally) error {
	data, err := json.MarshalIndent(tally, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.resume+".new", append(data, '\n'), 0o666); err != nil {
		return err
	}
	return os.Rename(c.resume+".new", c.resume)
}

// A pace says how many transcripts have been played, how fast, and how long the rest
// will take.
type pace struct {
	show  func(string)
	began time.Time
	first int // what had been played then
	told  time.Time
}

func newPace(show func(string)) *pace { return &pace{show: show} }

func (p *pace) played(done, total int) {
	now := time.Now()
	if p.began.IsZero() {
		p.began, p.first = now, done
	}
	if now.Sub(p.told) < 100*time.Millisecond && done < total {
		return
	}
	p.told = now
	text := fmt.Sprintf("%d of %d transcripts", done, total)
	if took := now.Sub(p.began); took > time.Second && done > p.first {
		rate := float64(done-p.first) / took.Seconds()
		left := time.Duration(float64(total-done) / rate * float64(time.Second))
		text += fmt.Sprintf(", %.0f a second, %v left", rate, left.Round(time.Second))
	}
	p.show(text)
}
