# Sourced by ./vmm and ./test, after scripts/jdk.sh.

# find_maven: sees to it that mvn is there, or says what is missing and returns 1. As root on a
# Debian machine it installs the package, so that nothing need be installed by hand.
find_maven() {
  command -v mvn >/dev/null && return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "vmm4j: installing Maven (apt-get install maven)" >&2
    { apt-get -q update && DEBIAN_FRONTEND=noninteractive \
      apt-get -q install -y --no-install-recommends maven; } >/tmp/vmm4j-apt.log 2>&1
    command -v mvn >/dev/null && return 0
    tail -n 5 /tmp/vmm4j-apt.log >&2
  fi
  echo "vmm4j needs Maven 3.8 or newer (mvn) to build, and none is on the PATH." \
    "On Debian or Ubuntu: apt-get install maven" >&2
  return 1
}

# of_sources DIRECTORY SUFFIX: the names of the files below a directory, without a suffix, sorted.
of_sources() {
  [ ! -d "$1" ] || find "$1" -type f -name "*$2" ! -name '*$*' ! -path '*/jmh_generated/*' -printf '%P\n' | sed "s/$2\$//" | LC_ALL=C sort
}

# forget_removed ROOT: removes what was compiled or copied of files that are no longer there, which Maven would leave
# in the modules' jars.
forget_removed() {
  local module kind removed
  for module in "$1"/*/; do
    for kind in main:classes test:test-classes; do
      local classes=$module/target/${kind#*:} sources=$module/src/${kind%:*}
      removed=$(
        LC_ALL=C comm -13 <(of_sources "$sources/java" .java) <(of_sources "$classes" .class)
        LC_ALL=C comm -13 <(of_sources "$sources/resources/META-INF/services" '') \
          <(of_sources "$classes/META-INF/services" '')
      )
      [ -z "$removed" ] || rm -rf "$classes" "$module/target/maven-status"
    done
  done
}

# run_maven ARGUMENT...: Maven on the JDK that find_jdk found.
run_maven() {
  # Maven's own libraries use what JDK 24 and newer warn about; none of it is ours.
  local quiet="--sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED"
  JAVA_HOME=$JDK MAVEN_OPTS="$quiet ${MAVEN_OPTS:-}" mvn -B -ntp "$@"
}
