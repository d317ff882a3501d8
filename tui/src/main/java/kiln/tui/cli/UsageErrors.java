package kiln.tui.cli;

import java.util.ArrayList;
import java.util.List;
import kiln.runtime.base.NearestName;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** What is wrong with a command's arguments, in one line. */
final class UsageErrors {
    private UsageErrors() {}

    static String line(ParameterException e) {
        String command = e.getCommandLine().getCommandName();
        String help = " (" + command + " --help lists the options)";
        if (e instanceof UnmatchedArgumentException unmatched) {
            String argument = unmatched.getUnmatched().get(0);
            if (argument.startsWith("-") && argument.length() > 1) {
                return "unknown option '" + argument + "'" + hint(argument, e) + help;
            }
            return "unexpected argument '" + argument + "'"
                    + (command.equals("kiln txt2img") ? ": a prompt of several words needs quotation marks" : help);
        }
        String message = e.getMessage() == null ? "" : e.getMessage().lines().findFirst().orElse("");
        if (e.getArgSpec() instanceof OptionSpec option) {
            message = message.replace("'" + option.longestName() + "'", "'" + preferredName(option) + "'");
        }
        message = message.replaceFirst("('[+-]?[0-9]+') is not an? (int|long)$", "$1 is outside the possible range")
                .replace("is not an int", "is not a whole number")
                .replace("is not a long", "is not a whole number")
                .replace("is not a double", "is not a number");
        return message.isEmpty() ? "wrong arguments" + help : Character.toLowerCase(message.charAt(0)) + message.substring(1);
    }

    /** The first long name: the others are synonyms for people who come from other programs. */
    private static String preferredName(OptionSpec option) {
        for (String name : option.names()) {
            if (name.startsWith("--")) {
                return name;
            }
        }
        return option.longestName();
    }

    private static String hint(String argument, ParameterException e) {
        List<String> names = new ArrayList<>();
        for (OptionSpec option : e.getCommandLine().getCommandSpec().options()) {
            for (String name : option.names()) {
                if (name.startsWith("--")) {
                    names.add(name);
                }
            }
        }
        int equals = argument.indexOf('=');
        String name = equals < 0 ? argument : argument.substring(0, equals);
        return name.startsWith("--") ? NearestName.hint(name, names) : "";
    }
}
