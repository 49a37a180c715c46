# Sourced by ./vmm, ./test and guests/fetch.
# find_jdk: sets JDK to the home of a JDK 25 or newer, or says what is missing and returns 1.

# The feature version of the JDK in directory $1 (read from its release file, which costs no JVM),
# or 0 when it is none, or a runtime without a compiler.
jdk_version() {
  local version=""
  if [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ]; then
    if [ -r "$1/release" ]; then
      version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release")
    fi
    if [ -z "$version" ]; then
      version=$("$1/bin/javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
    fi
  fi
  echo "${version:-0}"
}

find_jdk() {
  local candidate on_path="" seen=""
  if command -v javac >/dev/null; then
    on_path=$(readlink -f "$(command -v javac)")
    on_path=${on_path%/bin/javac}
  fi
  for candidate in "${JAVA_HOME:-}" "$on_path" /usr/lib/jvm/* /opt/* /opt/java/* \
    /usr/local/lib/jvm/* "${HOME:-/root}"/.sdkman/candidates/java/* "${HOME:-/root}"/.jdks/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    if [ -n "$candidate" ] && [ -d "$candidate/bin" ]; then
      if [ "$(jdk_version "$candidate")" -ge 25 ]; then
        JDK=$candidate
        return 0
      fi
      seen="$seen $candidate"
    fi
  done
  {
    echo "vmm4j needs a JDK 25 or newer, and none was found."
    echo "Looked at JAVA_HOME (${JAVA_HOME:-not set}), javac on the PATH, /usr/lib/jvm, /opt," \
      "/usr/local/lib/jvm, ~/.sdkman and ~/.jdks."
    [ -n "$seen" ] && echo "Found, but too old or without a compiler:$seen"
    echo "Install a JDK 25 or set JAVA_HOME to one."
  } >&2
  return 1
}
