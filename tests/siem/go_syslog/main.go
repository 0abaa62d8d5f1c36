// Judges RFC 5424 messages, one a line, by a strict parser: the one of the OpenTelemetry Collector, Telegraf and Alloy. Exit status 1
// when one is refused.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/leodido/go-syslog/v4/rfc5424"
)

func main() {
	passed, failed := 0, 0
	for _, path := range os.Args[1:] {
		text, err := os.ReadFile(path)
		if err != nil {
			fmt.Println(err)
			os.Exit(2)
		}
		for number, line := range bytes.Split(text, []byte("\n")) {
			if len(bytes.Trim(line, " ")) == 0 { // what a recovery leaves
				continue
			}
			if _, err := rfc5424.NewParser().Parse(line); err != nil {
				failed++
				fmt.Printf("%s:%d: %v: %.300q\n", path, number+1, err, line)
				continue
			}
			passed++
		}
	}
	fmt.Printf("go-syslog, rfc5424: %d passed, %d failed\n", passed, failed)
	if failed > 0 || passed == 0 {
		os.Exit(1)
	}
}
