package cache

import (
	"fmt"
	"strings"
	"testing"
)

// sizes are how many sessions are cached besides those of a benchmark: what it
// costs should not depend on it.
var sizes = []int{0, 1_000, 10_000, 18_000}

var longProperty = []byte(strings.Repeat("p", 300))

func benchmarkSizes(b *testing.B, run func(b *testing.B, m *Multi)) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("cached=%d", n), func(b *testing.B) {
			m := NewMulti(Options{Close: func(Closed) {}})
			for i := range n {
				m.SaveEndpoint(1<<30, fmt.Appendf(nil, "smtp\n[192.0.2.1]:%d", i), longProperty, i)
			}
			b.ReportAllocs()
			b.ResetTimer()
			run(b, m)
		})
	}
}

func BenchmarkSaveAndFindEndpoint(b *testing.B) {
	endpoint := []byte("smtp\n[198.51.100.1]:25")
	benchmarkSizes(b, func(b *testing.B, m *Multi) {
		for b.Loop() {
			m.SaveEndpoint(2, endpoint, longProperty, 7)
			m.FindEndpoint(endpoint)
		}
	})
}

func BenchmarkSaveAndFindDestination(b *testing.B) {
	endpoint := []byte("smtp\n[198.51.100.1]:25")
	destination, property := []byte("smtp\nexample.com\n25"), []byte("best_mx=yes")
	benchmarkSizes(b, func(b *testing.B, m *Multi) {
		for b.Loop() {
			m.SaveEndpoint(2, endpoint, longProperty, 7)
			m.SaveDestination(2, destination, property, endpoint)
			m.FindDestination(destination)
		}
	})
}

func BenchmarkFindNothing(b *testing.B) {
	endpoint := []byte("smtp\n[198.51.100.1]:25")
	benchmarkSizes(b, func(b *testing.B, m *Multi) {
		for b.Loop() {
			m.FindEndpoint(endpoint)
		}
	})
}

// A second passes, and nothing is due. Once in a round of the wheel it passes
// all sessions by.
func BenchmarkExpireNothing(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, m *Multi) {
		now := int64(0)
		for b.Loop() {
			now++
			m.Expire(now)
		}
	})
}

// Sessions that are due in the same second; the time is that of one.
func BenchmarkExpire(b *testing.B) {
	const n = 10_000
	labels := make([][]byte, n)
	for i := range labels {
		labels[i] = fmt.Appendf(nil, "smtp\n[192.0.2.1]:%d", i)
	}
	m := NewMulti(Options{Close: func(Closed) {}})
	now := int64(0)
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; done += n {
		b.StopTimer()
		for i, label := range labels {
			m.SaveEndpoint(2, label, longProperty, i)
		}
		b.StartTimer()
		now += 2
		m.Expire(now)
	}
}
