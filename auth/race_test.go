//go:build race

package auth_test

func init() { raceDetector = true }
