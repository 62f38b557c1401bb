// The lamina command: everything is in LaminaCommands.

import LaminaCommands

CommandLineTool.main()
