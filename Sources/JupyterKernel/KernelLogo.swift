import Foundation

/// The picture of the kernel in launchers: a matrix S of two constitutions, its diagonal dark.
enum KernelLogo {
    static var files: [(name: String, data: Data)] {
        [
            ("logo-svg.svg", Data(svg.utf8)), ("logo-32x32.png", data(ofBase64: small)),
            ("logo-64x64.png", data(ofBase64: large)),
        ]
    }

    private static func data(ofBase64 text: String) -> Data {
        Data(base64Encoded: text) ?? Data()
    }

    private static let svg = """
        <svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" viewBox="0 0 64 64">
        <rect x="6" y="6" width="52" height="52" rx="6" fill="#f4f1ea"/>
        <rect x="10" y="10" width="21" height="21" fill="#0072b2"/>
        <rect x="33" y="10" width="21" height="21" fill="#f0c9a0"/>
        <rect x="10" y="33" width="21" height="21" fill="#f0c9a0"/>
        <rect x="33" y="33" width="21" height="21" fill="#0072b2"/>
        </svg>

        """

    // The two pictures are this drawing by `rsvg-convert -w 32` and `-w 64`.
    private static let small = """
        iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAYAAABzenr0AAAABmJLR0QA/wD/AP+gvaeTAAABCElEQVRYhWNgGAUD\
        DBiROf///2f7+vFNMwPj/1gGBgZJKtv1jIGRYTE3r2gdIyPjL6wO+PLpVQfDf4ZyKluMChgZOnn4xCqwO+Djq2cM\
        DAySPI0niDKryl6GoULnO8O/N7eJUs+i4cXAwMDwgodfDB66TGhqqB3s2IAEMgfdAXQHow4YdcCoAwbcASzYBKvs\
        ZYjSbKvIx8DIxcnAJKJKXQdU6HwnSjMjFyfDkdesDIfvcxKlvsqBSAcQW7YziagyHL7PydB28AmRDsAM2QFPA6MO\
        GHXAqAMGnQOe0dzG/wxPkbkD0Szv4OETq8TqgP///7N9/fy6ieE/QywDA4MUla3G2jEZBQMOAHh1QDWctscpAAAA\
        AElFTkSuQmCC
        """
    private static let large = """
        iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAYAAACqaXHeAAAABmJLR0QA/wD/AP+gvaeTAAAB1klEQVR4nO2bvUoD\
        QRRGvxmMAV2zjbGxFkQCptNnkDyBqTVVnkF8BbFKr0+gPoNlQBEhtU20yboK/rDXShDZuwpm9jPsPV24QzhzmKSY\
        bADDMAyjurifFoiM6mkS9xzcLiAtAIsleP2FJ8BdC+QkakwGzq29FC0uDPD8/LCavWfnEGxO17E0hr7mOwsLy3fa\
        Aq8NREb1Gd88ALSzt+xMZFTXFqgB0iTuzfjmP2mnSbynDee0gYN0v35CosPLKXsB6cE2AOD99mLq7z23vvP1ZRfA\
        cd469QQ4uI0pO9HwQKtglo8AURid8inaixqgKlgAtgAbC8AWYGMB2AJsLABbgI0FYAuwsQBsATYWgC3AxgKwBdhU\
        PoD6u0A6GUuZIqGJ4pXcvVb+BKjX4t8JeXUd8sr9Jyp/AiwAW4CNBWALsLEAbAE2FoAtwMYCsAXYWAC2ABsLwBZg\
        YwHYAmwsgDZwQFqmSGASbVDwoKTchHEpHwHUvajX4o+Tcd8BR2GUykWA/lK8kvussBpAZFR/SuJLAO1gZuUwXGw0\
        t5xzr3lD/TvArb34mu8AGAZTC8/Q13xH2zzwq7/MyHya3O8D6Hqg9d8fonZAmgFXAE6jRnNQtHnDMAyj6nwAmb5n\
        oyebYWMAAAAASUVORK5CYII=
        """
}
