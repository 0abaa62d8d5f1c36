module go_syslog

go 1.24

require github.com/leodido/go-syslog/v4 v4.6.0
