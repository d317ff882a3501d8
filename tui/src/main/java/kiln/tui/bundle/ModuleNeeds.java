package kiln.tui.bundle;

import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which modules of Java a set of jars needs. */
final class ModuleNeeds {
    /**
     * What libraries mention for features that Kiln does not touch: Jackson's data types of desktop, SQL and XML, Lanterna's window that
     * plays a terminal. They are more than half of Java.
     */
    private static final Set<String> OPTIONAL_FOR_LIBRARIES = Set.of("java.desktop", "java.datatransfer", "java.sql", "java.xml");

    /** "tui.jar -> java.management": one line of {@code jdeps -summary}. Kiln's own jars are named by file, modular ones by module. */
    private static final Pattern LINE = Pattern.compile("\\s*(\\S+) -> (java\\.\\S+|jdk\\.\\S+)\\s*");

    private ModuleNeeds() {}

    /**
     * @param summary what {@code jdeps -summary} printed for all jars
     * @param ownJars file names of Kiln's own jars, of which every need counts
     */
    static Set<String> of(String summary, Set<String> ownJars) {
        Set<String> modules = new TreeSet<>(Set.of("java.base"));
        for (String line : summary.split("\\R")) {
            Matcher need = LINE.matcher(line);
            if (need.matches() && (ownJars.contains(need.group(1)) || !OPTIONAL_FOR_LIBRARIES.contains(need.group(2)))) {
                modules.add(need.group(2));
            }
        }
        return modules;
    }
}
